//! Reads the id of an event.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::domain::json::seen;

/// The longest event id, in bytes. For an integer, its digits count.
const MAX_ID: usize = 256;

/// Characters that are escaped in a scope, so that the last `#` of an id is the separator.
const IN_SCOPE: &AsciiSet = &CONTROLS.add(b'#').add(b'%');

/// The id of an event.
#[derive(Debug, PartialEq, Eq)]
pub enum EventId {
    /// The id; an integer as its exact digits.
    Is(String),
    /// Absent, null or empty.
    Absent,
}

/// Reads an id. `exact` returns the text of a number beyond machine types; it is only called for those.
pub fn read_id(value: Option<&Value>, exact: impl FnOnce() -> Option<String>) -> Result<EventId, String> {
    let id = match value {
        None | Some(Value::Null) => return Ok(EventId::Absent),
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
        Some(Value::Number(_)) => exact().as_deref().and_then(integer_digits).ok_or_else(|| {
            "Invalid id: a string or an integer expected, a number with a fraction or exponent seen"
                .to_owned()
        })?,
        Some(other) => {
            return Err(format!("Invalid id: a string or an integer expected, {} seen", seen(other)));
        }
    };
    fitting(id)
}

/// The digits of a JSON integer, as written; `-0` is 0. `None` if it has a fraction or an exponent.
fn integer_digits(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(if digits == "0" { "0".to_owned() } else { text.to_owned() })
}

/// An id within its bounds; an empty text means none.
pub fn fitting(id: String) -> Result<EventId, String> {
    if id.is_empty() {
        Ok(EventId::Absent)
    } else if id.trim().is_empty() {
        Err("Invalid id: only blanks".to_owned())
    } else if id.len() > MAX_ID {
        Err(format!("Invalid id: longer than {MAX_ID} bytes"))
    } else if id.contains('\0') {
        Err("Invalid id: contains U+0000".to_owned())
    } else {
        Ok(EventId::Is(id))
    }
}

/// An id with its scope, as `id#scope`. Different pairs never give the same text.
pub fn scoped(id: &str, scope: &[&str]) -> String {
    scope.iter().fold(id.to_owned(), |id, part| {
        let part = match part.len() {
            0..=MAX_ID => utf8_percent_encode(part, IN_SCOPE).to_string(),
            _ => hex::encode(Sha256::digest(part)),
        };
        format!("{id}#{part}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(json: &str) -> Result<EventId, String> {
        let value: Value = serde_json::from_str(json).unwrap();
        read_id(Some(&value), || Some(json.to_owned()))
    }

    fn is(text: &str) -> Result<EventId, String> {
        Ok(EventId::Is(text.to_owned()))
    }

    #[test]
    fn id_09_an_integer_and_its_digits_as_text_are_the_same_id() {
        assert_eq!(id("42"), is("42"));
        assert_eq!(id("\"42\""), is("42"));
        assert_eq!(id("\"042\""), is("042"));
        assert_eq!(id("-7"), is("-7"));
        assert_eq!(id("-0"), is("0"));
        assert_eq!(id("123456789012345678901234567890"), is("123456789012345678901234567890"));
        for wrong in ["42.0", "1e2", "true", "{}", "[]", "1e5"] {
            assert!(id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn id_06_absent_null_and_empty_are_no_id_and_blanks_are_a_fault() {
        assert_eq!(read_id(None, || None), Ok(EventId::Absent));
        assert_eq!(id("null"), Ok(EventId::Absent));
        assert_eq!(id("\"\""), Ok(EventId::Absent));
        for blanks in ["\" \"", "\"\\t\\n\"", "\"\\u00a0\"", "\"a\\u0000\""] {
            assert!(id(blanks).is_err(), "{blanks}");
        }
    }

    #[test]
    fn an_id_with_its_scope_is_that_of_no_other_pair() {
        assert_eq!(scoped("3ac7", &["up"]), "3ac7#up");
        assert_eq!(scoped("a", &["up", "x/y"]), "a#up#x/y");
        assert_ne!(scoped("a#b", &["c"]), scoped("a", &["b#c"]));
        assert_ne!(scoped("a", &["%23"]), scoped("a", &["#"]));
        assert_eq!(scoped("a", &[&"x".repeat(257)]).len(), "a#".len() + 64);
    }

    #[test]
    fn id_08_256_bytes_are_an_id_and_257_are_not() {
        assert!(id(&format!("\"{}\"", "x".repeat(256))).is_ok());
        assert!(id(&format!("\"{}\"", "x".repeat(257))).is_err());
        assert!(id(&"9".repeat(256)).is_ok());
        assert!(id(&"9".repeat(257)).is_err());
        assert!(id(&format!("\"{}\"", "é".repeat(129))).is_err());
    }
}
