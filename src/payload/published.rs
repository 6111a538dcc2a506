//! Reads events for our own publisher, in the form that TagoRUN would send.

use std::borrow::Cow;

use serde_json::Value;

use super::id::{EventId, read_id};
use super::name::envelope_name;
use super::read::Payload;
use super::strict;
use crate::domain::Fault;
use crate::domain::json::seen;

/// The place of the entity in a published event.
const ENTITY: &str = "/device/id";

/// An event to be published.
#[derive(Debug)]
pub struct Published {
    /// The value.
    pub value: Value,
    /// Its name, as written.
    pub name: String,
    /// Its id, if it has one.
    pub event_id: Option<String>,
    /// Its entity.
    pub entity: Option<String>,
    /// Whether it contains the time of the event.
    pub has_timestamp: bool,
}

/// Reads an event to be published: an object with a name, as in the specification.
///
/// # Errors
/// Every fault of its form, with its place.
pub fn read_published(body: &[u8]) -> Result<Published, Vec<Fault>> {
    let value = strict::parse(body).map_err(|fault| vec![fault.after("not JSON")])?;
    if !value.is_object() {
        return Err(vec![Fault::new("", format!("object expected, {} seen", seen(&value)))]);
    }
    let exact = || strict::raw_at(body, "/id").map(str::to_owned);
    let event_id = match read_id(value.get("id"), exact) {
        Ok(EventId::Is(id)) => Some(id),
        Ok(EventId::Absent) => None,
        Err(what) => return Err(vec![Fault::new("/id", what)]),
    };
    let name = envelope_name(&value).map_err(|fault| vec![fault])?;
    let has_timestamp = value.get("timestamp").is_some_and(|timestamp| *timestamp != Value::Null);
    let payload = Payload { text: Cow::Borrowed(body), value, points: None, batch: None };
    let entity = payload.entity(ENTITY);
    Ok(Published { value: payload.value, name, event_id, entity, has_timestamp })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_needs_a_name_and_says_what_it_is_about() {
        let read = |body: &str| read_published(body.as_bytes());
        let event = read(r#"{"event":"user.created","id":42,"device":{"id":"d1"}}"#).unwrap();
        assert_eq!((event.name.as_str(), event.event_id.as_deref()), ("user.created", Some("42")));
        assert_eq!((event.entity.as_deref(), event.has_timestamp), (Some("d1"), false));
        assert!(read(r#"{"event":"user.login","timestamp":"x"}"#).unwrap().has_timestamp);
        for (bad, path) in [
            ("[]", ""),
            ("{", ""),
            ("{}", "/event"),
            (r#"{"event":"a","type":"b"}"#, "/type"),
            (r#"{"event":"a","id":1.5}"#, "/id"),
            (r#"{"event":"a","event":"a"}"#, ""),
        ] {
            assert_eq!(read(bad).unwrap_err()[0].path, path, "{bad}");
        }
    }
}
