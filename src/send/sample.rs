//! A fresh, signed test delivery, and the curl line that sends it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::catalog::{Catalog, fresh_example};
use crate::domain::{DeliveryId, Source, Timestamp};

use super::signed_request;

/// The event that a test delivery is.
const EVENT: &str = "webhook.test";

/// A test delivery that its source accepts: a fresh id, the present time, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedSample {
    /// The header lines, the source's own credential among them.
    pub headers: Vec<(String, String)>,
    /// The body, one line of JSON.
    pub body: String,
}

impl SignedSample {
    /// A fresh sample for `source`; `None` where the source's secret cannot sign.
    #[must_use]
    pub fn fresh(source: &Source, catalog: &Catalog, now: Timestamp) -> Option<Self> {
        let id = fresh_id(now);
        let example = fresh_example(catalog.get(EVENT)?, &id, &now.to_string())?;
        let body = example.to_string();
        let headers = signed_request(source, EVENT, &id, now, body.as_bytes()).ok()?;
        Some(Self { headers, body })
    }

    /// The line that sends it to `url`, ready to be pasted into a POSIX shell.
    #[must_use]
    pub fn curl(&self, url: &str) -> String {
        let mut line = format!("curl -sS -X POST {}", shell_quote(url));
        for (name, value) in &self.headers {
            line.push_str(&format!(" \\\n  -H {}", shell_quote(&format!("{name}: {value}"))));
        }
        line.push_str(&format!(" \\\n  --data-binary {}", shell_quote(&self.body)));
        line
    }
}

/// The curl line that sends a fresh signed test delivery to `source` at `url`; its credential is left for the reader to
/// fill in, since pages and terminals are no place for it. `None` where the source's secret cannot sign.
#[must_use]
pub fn signed_curl(source: &Source, catalog: &Catalog, url: &str, now: Timestamp) -> Option<String> {
    let unproven = Source { credentials: Vec::new(), ..source.clone() };
    let line = SignedSample::fresh(&unproven, catalog, now)?.curl(url);
    if source.credentials.is_empty() { Some(line) } else { Some(format!("{line} \\\n  -H \"$CREDENTIAL\"")) }
}

/// The URL of a source on a receiver that listens on `receiver`; "any address" is reached by loopback.
#[must_use]
pub fn source_url(receiver: SocketAddr, source: &str) -> String {
    let mut address = receiver;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let source = percent_encoding::utf8_percent_encode(source, percent_encoding::NON_ALPHANUMERIC);
    let source = source.to_string().replace("%2D", "-").replace("%5F", "_").replace("%2E", ".");
    format!("http://{address}/webhook/{source}")
}

/// A fresh id for an event that we make.
#[must_use]
pub fn fresh_id(now: Timestamp) -> String {
    format!("evt_{}", DeliveryId::new_at(now)).replace('-', "")
}

/// `text` as one word of a POSIX shell, whatever it holds.
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
