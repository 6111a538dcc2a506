//! What a payload calls its event.

use serde_json::Value;

use super::strict::kind;
use crate::domain::{Fault, Headers, Scheme};

/// The longest name of an event, in bytes.
const MAX_NAME: usize = 256;

/// The event's name by the source's scheme; `None` where it has none and need not.
pub fn event_name(scheme: Scheme, headers: &Headers, value: &Value) -> Result<Option<String>, Fault> {
    match scheme {
        Scheme::Tagorun | Scheme::None => envelope_name(value).map(Some),
        Scheme::StandardWebhooks | Scheme::Stripe => Ok(readable_name(value, "type")),
        Scheme::Github => Ok(headers
            .get("x-github-event")
            .and_then(|name| std::str::from_utf8(name).ok())
            .filter(|name| fits(name))
            .map(str::to_owned)),
    }
}

/// The member `key` where it can be the name of an event.
pub fn readable_name(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).filter(|name| fits(name)).map(str::to_owned)
}

fn fits(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= MAX_NAME && !name.contains('\0')
}

/// `event`, else `type`; both are allowed only when they agree.
fn envelope_name(value: &Value) -> Result<String, Fault> {
    let present = |key: &str| value.get(key).filter(|name| !name.is_null());
    match (present("event"), present("type")) {
        (None, None) => Err(Fault::new("/event", "Missing required field: event")),
        (Some(name), None) => checked_name("event", name),
        (None, Some(name)) => checked_name("type", name),
        (Some(event), Some(kind)) => {
            let event = checked_name("event", event)?;
            if kind.as_str() == Some(&event) {
                Ok(event)
            } else {
                Err(Fault::new("/type", "event and type name different events"))
            }
        }
    }
}

fn checked_name(key: &str, name: &Value) -> Result<String, Fault> {
    let place = format!("/{key}");
    match name {
        Value::String(name) if fits(name) => Ok(name.clone()),
        Value::String(name) if name.trim().is_empty() => {
            Err(Fault::new(place, format!("Missing required field: {key}")))
        }
        Value::String(name) if name.contains('\0') => Err(Fault::new(place, format!("{key}: holds U+0000"))),
        Value::String(_) => Err(Fault::new(place, format!("{key}: longer than {MAX_NAME} bytes"))),
        other => Err(Fault::new(place, format!("{key}: string expected, {} seen", kind(other)))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn s_02_event_or_type_names_the_event_and_they_must_agree() {
        assert_eq!(envelope_name(&json!({"event": "a"})).unwrap(), "a");
        assert_eq!(envelope_name(&json!({"type": "a"})).unwrap(), "a");
        assert_eq!(envelope_name(&json!({"event": "a", "type": "a"})).unwrap(), "a");
        assert_eq!(envelope_name(&json!({"event": null, "type": "a"})).unwrap(), "a");
        for wrong in [
            json!({}),
            json!({"event": "a", "type": "b"}),
            json!({"event": "a", "type": 1}),
            json!({"event": {"type": "a"}}),
            json!({"event": ""}),
            json!({"event": "a\u{0}b"}),
            json!({"event": "x".repeat(257)}),
        ] {
            assert!(envelope_name(&wrong).is_err(), "{wrong}");
        }
        assert!(envelope_name(&json!({"event": "x".repeat(256)})).is_ok());
    }
}
