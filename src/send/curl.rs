//! A curl line that is already signed and works when pasted.

use crate::catalog::{Catalog, fresh_example};
use crate::domain::{DeliveryId, Source, Timestamp};

use super::signed_request;

/// The event that the line sends.
const EVENT: &str = "webhook.test";

/// A signed curl line for `source`, whose URL is `url`; a fresh id, signed for `now`.
///
/// `None` for a source that asks for a credential: the line would show it.
#[must_use]
pub fn signed_curl(source: &Source, catalog: &Catalog, url: &str, now: Timestamp) -> Option<String> {
    if !source.credentials.is_empty() {
        return None;
    }
    let id = fresh_id(now);
    let payload = fresh_example(catalog.get(EVENT)?, &id, &now.to_string())?;
    let body = payload.to_string();
    let headers = signed_request(source, EVENT, &id, now, body.as_bytes()).ok()?;
    let mut line = format!("curl -sS {}", shell_quote(url));
    for (name, value) in headers {
        line.push_str(&format!(" \\\n  -H {}", shell_quote(&format!("{name}: {value}"))));
    }
    line.push_str(&format!(" \\\n  --data-binary {}", shell_quote(&body)));
    Some(line)
}

/// A fresh id for an event that we make.
#[must_use]
pub fn fresh_id(now: Timestamp) -> String {
    format!("evt_{}", DeliveryId::new_at(now)).replace('-', "")
}

/// Text as one word of a POSIX shell, whatever it holds.
#[must_use]
pub fn shell_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_stays_one_word_of_the_shell() {
        for text in ["plain", "it's", "$(touch x)", "`id`", "a\nb", "'; rm -rf ~ #", "\\"] {
            let script = format!("printf %s {}", shell_quote(text));
            let out = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), text);
        }
    }
}
