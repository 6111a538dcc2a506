//! Gate 7: which event is it, so that it is taken once? The store decides; this gate makes the claim.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::json;
use super::payload::{self, Payload};
use super::trace::{Finding, Gated};
use crate::domain::{Claim, ClaimKey, EventFacts, Fault, Headers, Reason, Scheme, Source};

/// The longest event id, in bytes. An integer counts its digits.
const MAX_ID: usize = 256;

/// Headers that carry the id where the source asks for no signature.
const ID_HEADERS: [&str; 2] = ["webhook-id", "X-TagoRUN-Event-Id"];

const RULE: &str = "one event is taken once";

/// What an event says about its id.
#[derive(Debug, PartialEq, Eq)]
pub enum EventId {
    /// The id; an integer as its exact digits.
    Is(String),
    /// Absent, null or empty.
    Absent,
}

/// Finds the event's id and makes the claim that the store decides on. `facts` learns the id.
pub fn claim(
    source: &Source,
    headers: &Headers,
    payload: &Payload<'_>,
    facts: &mut EventFacts,
) -> Gated<Option<Claim>> {
    let id = match find_id(source, headers, payload) {
        Ok(id) => id,
        Err(fault) => {
            return Finding::new(fault.message.clone(), "a string up to 256 bytes, or an integer")
                .faults(vec![fault])
                .fail(Reason::InvalidId);
        }
    };
    if let EventId::Is(id) = &id {
        facts.event_id = Some(id.clone());
    }
    let body_digest: [u8; 32] = Sha256::digest(&payload.text).into();
    let (key, window, seen) = match (source.signature.scheme, id, &payload.points) {
        // The delivery id of GitHub is not signed: a replayed body would come in under a new one.
        (Scheme::Github, _, _) => (ClaimKey::Body(body_digest), None, "the digest of the body".to_owned()),
        (_, EventId::Is(id), _) => {
            let seen = format!("id {id}");
            (ClaimKey::Id(id), None, seen)
        }
        (_, EventId::Absent, Some(points)) if points.ids_digest.is_some() => {
            let digest = points.ids_digest.unwrap_or_default();
            (ClaimKey::Points(digest), None, format!("the ids of {} data points", points.count))
        }
        (_, EventId::Absent, _) => match source.dedupe_by_body {
            Some(window) => (ClaimKey::Body(body_digest), Some(window), body_window(window)),
            None => return without_id(source),
        },
    };
    Finding::new(seen, RULE).pass(Some(Claim { key, body_digest, window }))
}

fn body_window(window: Duration) -> String {
    format!("no id; the digest of the body, for {} s", window.as_secs())
}

fn without_id(source: &Source) -> Gated<Option<Claim>> {
    Finding::new(format!("no id at {}", source.id_pointer), RULE)
        .note("no id: accepted, and never taken for a duplicate")
        .skip(None)
}

fn find_id(source: &Source, headers: &Headers, payload: &Payload<'_>) -> Result<EventId, Fault> {
    match source.signature.scheme {
        Scheme::StandardWebhooks => header_id(headers, &["webhook-id", "svix-id"]),
        Scheme::Github => header_id(headers, &["X-GitHub-Delivery"]),
        // The set of their ids decides about points, whatever a header says.
        _ if payload.points.as_ref().is_some_and(|points| points.ids_digest.is_some()) => Ok(EventId::Absent),
        scheme => {
            let pointer = source.id_pointer.as_str();
            let exact = || json::raw_at(&payload.text, pointer).map(str::to_owned);
            let id = read_id(payload.value.pointer(pointer), exact)
                .map_err(|message| Fault::new(pointer, message))?;
            match (id, scheme) {
                (EventId::Absent, Scheme::None) => header_id(headers, &ID_HEADERS),
                (id, _) => Ok(id),
            }
        }
    }
}

/// Reads an id. `exact` gives the text of a number that no machine type holds; it is asked only for those.
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
            return Err(format!(
                "Invalid id: a string or an integer expected, {} seen",
                payload::kind(other)
            ));
        }
    };
    fitting(id)
}

/// The digits of a JSON integer, as written; `-0` is 0. `None` where there is a fraction or an exponent.
fn integer_digits(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(if digits == "0" { "0".to_owned() } else { text.to_owned() })
}

fn fitting(id: String) -> Result<EventId, String> {
    if id.is_empty() {
        Ok(EventId::Absent)
    } else if id.trim().is_empty() {
        Err("Invalid id: only blanks".to_owned())
    } else if id.len() > MAX_ID {
        Err(format!("Invalid id: longer than {MAX_ID} bytes"))
    } else if id.contains('\0') {
        Err("Invalid id: holds U+0000".to_owned())
    } else {
        Ok(EventId::Is(id))
    }
}

/// The id in the first of `names` that is there.
fn header_id(headers: &Headers, names: &[&str]) -> Result<EventId, Fault> {
    let Some(value) = names.iter().find_map(|name| headers.get(name)) else { return Ok(EventId::Absent) };
    match std::str::from_utf8(value) {
        Ok(id) => fitting(id.to_owned()),
        Err(_) => Err("Invalid id: not UTF-8".to_owned()),
    }
    .map_err(|message| Fault::new("", message))
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
    fn id_08_256_bytes_are_an_id_and_257_are_not() {
        assert!(id(&format!("\"{}\"", "x".repeat(256))).is_ok());
        assert!(id(&format!("\"{}\"", "x".repeat(257))).is_err());
        assert!(id(&"9".repeat(256)).is_ok());
        assert!(id(&"9".repeat(257)).is_err());
        assert!(id(&format!("\"{}\"", "é".repeat(129))).is_err());
    }
}
