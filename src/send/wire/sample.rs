//! A fresh, signed test delivery, and the curl line that sends it.

use super::signed_request::signed_request;
use crate::catalog::{Catalog, fresh_example};
use crate::domain::{DeliveryId, Source, Timestamp};

/// The event type of a test delivery.
const EVENT: &str = "webhook.test";

/// A test delivery that its source accepts: with a new id and the current time, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedSample {
    /// The header lines, including the source's own credential.
    pub headers: Vec<(String, String)>,
    /// The body, one line of JSON.
    pub body: String,
}

impl SignedSample {
    /// A new sample for `source`; `None` if the source's secret cannot sign.
    #[must_use]
    pub fn fresh(source: &Source, catalog: &Catalog, now: Timestamp) -> Option<Self> {
        let id = fresh_id(now);
        let example = fresh_example(catalog.get(EVENT)?, &id, &now.to_string())?;
        let body = example.to_string();
        let headers = signed_request(source, EVENT, &id, now, body.as_bytes()).ok()?;
        Some(Self { headers, body })
    }

    /// The command that sends it to `url` with more options of curl, ready to paste into a POSIX shell.
    #[must_use]
    pub fn curl(&self, url: &str, options: &str) -> String {
        let mut line = format!("curl -sS -X POST {}{options}", shell_quote(url));
        for (name, value) in &self.headers {
            line.push_str(&format!(" \\\n  -H {}", shell_quote(&format!("{name}: {value}"))));
        }
        line.push_str(&format!(" \\\n  --data-binary {}", shell_quote(&self.body)));
        line
    }
}

/// The curl command that sends a new signed test delivery of `source` to `url`, with more `options`. The credential is a
/// placeholder, since it must not appear in pages and terminals. `None` if the source's secret cannot sign.
#[must_use]
pub fn signed_curl(
    source: &Source,
    catalog: &Catalog,
    (url, options): (&str, &str),
    now: Timestamp,
) -> Option<String> {
    let unproven = Source { credentials: Vec::new(), ..source.clone() };
    let line = SignedSample::fresh(&unproven, catalog, now)?.curl(url, options);
    if source.credentials.is_empty() { Some(line) } else { Some(format!("{line} \\\n  -H \"$CREDENTIAL\"")) }
}

/// The path of a source below the receiver's address, without a slash in front.
#[must_use]
pub fn source_path(source: &str) -> String {
    let source = percent_encoding::utf8_percent_encode(source, percent_encoding::NON_ALPHANUMERIC);
    let source = source.to_string().replace("%2D", "-").replace("%5F", "_").replace("%2E", ".");
    format!("webhook/{source}")
}

/// A new id for an event that we create.
#[must_use]
pub fn fresh_id(now: Timestamp) -> String {
    format!("evt_{}", DeliveryId::new_at(now)).replace('-', "")
}

/// `text` as one word of a POSIX shell, whatever it contains.
#[must_use]
pub fn shell_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ex_a_quoted_text_is_one_word_of_the_shell_and_nothing_runs() {
        for text in ["plain", "it's", "$(touch /tmp/x) `id` \"; rm -rf / #", "a\nb\\", "'", "''", "!x *?"] {
            let said = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", shell_quote(text))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), text);
        }
    }
}
