//! Reads the name of an event.

use serde_json::Value;

use super::cloud_event::{CloudMode, attribute};
use crate::domain::json::pointer::value_at;
use crate::domain::json::seen;
use crate::domain::{EventPlace, Fault, Headers, Platform, Scheme, Source, Target};

/// The longest name of an event, in bytes.
const MAX_NAME: usize = 256;

/// The request around a payload.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'r> {
    /// Path and query.
    pub target: Target<'r>,
    /// The header lines.
    pub headers: &'r Headers,
}

/// The name of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Its name; `None` if it has none and needs none.
    pub name: Option<String>,
    /// The place of the name in words, if it is not the scheme's place.
    pub place: Option<String>,
}

/// The event's name, from the place that its source defines.
///
/// # Errors
/// When it is missing, or is not a valid name.
pub fn event_name(source: &Source, sent: Sent<'_>, value: &Value) -> Result<Named, Fault> {
    let named = match &source.event {
        EventPlace::Scheme => return by_scheme(source, sent.headers, value),
        EventPlace::Query(name) => sent.target.query_value(name),
        EventPlace::Path => Some(sent.target.below_source()),
        EventPlace::Header(name) => header_text(sent.headers, name),
        EventPlace::Fixed(name) => Some(name.clone()),
        EventPlace::Pointer(pointer) => match value_at(value, pointer) {
            None | Some(Value::Null) => None,
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Some(number.to_string()),
            Some(Value::String(name)) => Some(name.clone()),
            Some(other) => {
                let what = format!("an event name expected, {} seen", seen(other));
                return Err(Fault::new(pointer, what));
            }
        },
    };
    let at = if let EventPlace::Pointer(pointer) = &source.event { pointer.as_str() } else { "" };
    let place = source.event.sentence();
    match named.filter(|name| !name.trim().is_empty()) {
        Some(name) if fits(&name) => Ok(Named { name: Some(name), place: Some(place) }),
        Some(_) => Err(Fault::new(at, format!("The event name is too long or contains U+0000: {place}"))),
        None => Err(Fault::new(at, format!("Missing event name: {place}"))),
    }
}

fn by_scheme(source: &Source, headers: &Headers, value: &Value) -> Result<Named, Fault> {
    if CloudMode::at(source, headers) == Some(CloudMode::Binary) {
        let name = attribute(headers, "type").filter(|name| fits(name));
        let name = name.ok_or_else(|| Fault::new("", "Missing CloudEvents header: ce-type"))?;
        return Ok(Named { name: Some(name), place: Some("header ce-type".to_owned()) });
    }
    let name = match source.signature.scheme {
        Scheme::Tagorun | Scheme::None => Some(envelope_name(value)?),
        Scheme::StandardWebhooks | Scheme::Stripe => readable_name(value, "type"),
        // Events of Slack and Zoom have one of these; those of Asana, Xero and X have none.
        Scheme::Platform(Platform::Twitch) => {
            header_text(headers, "twitch-eventsub-subscription-type").filter(|name| fits(name))
        }
        Scheme::Platform(Platform::Slack) => slack_name(value),
        Scheme::Platform(_) | Scheme::Hmac(_) => {
            readable_name(value, "event").or_else(|| readable_name(value, "type"))
        }
        Scheme::Github => header_text(headers, "x-github-event").filter(|name| fits(name)),
    };
    Ok(Named { name, place: None })
}

/// The inner event of Slack's Events API; the type of an interaction; a slash command.
fn slack_name(value: &Value) -> Option<String> {
    let inner = value.get("event").and_then(|event| readable_name(event, "type"));
    let command = || value.get("command").map(|_| "slash_command".to_owned());
    inner.or_else(|| readable_name(value, "type")).or_else(command)
}

fn header_text(headers: &Headers, name: &str) -> Option<String> {
    headers.get(name).and_then(|name| std::str::from_utf8(name).ok()).map(|name| name.trim().to_owned())
}

/// The member `key`, if it is a valid event name.
pub fn readable_name(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).filter(|name| fits(name)).map(str::to_owned)
}

pub(super) fn fits(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= MAX_NAME && !name.contains('\0')
}

/// `event`, or else `type`; both are allowed only if they are equal.
pub(super) fn envelope_name(value: &Value) -> Result<String, Fault> {
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
        Value::String(name) if name.contains('\0') => {
            Err(Fault::new(place, format!("{key}: contains U+0000")))
        }
        Value::String(_) => Err(Fault::new(place, format!("{key}: longer than {MAX_NAME} bytes"))),
        other => Err(Fault::new(place, format!("{key}: string expected, {} seen", seen(other)))),
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
