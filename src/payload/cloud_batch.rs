//! CloudEvents in batch mode: one request with several events (the CloudEvents HTTP binding, 3.3).

use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::cloud_event::{member, whole_id};
use super::id::{EventId, fitting};
use crate::domain::Fault;
use crate::domain::json::without_mark;

/// The type of a batch delivery; its events have their own types.
pub const EVENT_TYPE: &str = "cloudevents.batch";

/// The most faults that are listed.
const MAX_FAULTS: usize = 100;

/// The events of a batch, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch(pub Vec<BatchEvent>);

/// The attributes of an event in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchEvent {
    /// Its type.
    pub name: String,
    /// Its id, with its source.
    pub id: String,
}

impl Batch {
    /// SHA-256 over the sorted set of their ids; `None` for an empty batch.
    #[must_use]
    pub fn ids_digest(&self) -> Option<[u8; 32]> {
        let mut ids: Vec<&str> = self.0.iter().map(|event| event.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut digest = Sha256::new_with_prefix(EVENT_TYPE);
        for id in &ids {
            digest.update(u64::try_from(id.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(id.as_bytes());
        }
        (!ids.is_empty()).then(|| digest.finalize().into())
    }
}

/// Reads a batch, or lists its faults.
pub fn read(value: &Value) -> Result<Batch, Vec<Fault>> {
    let Some(items) = value.as_array() else {
        return Err(vec![Fault::new("", "a CloudEvents batch is an array of events")]);
    };
    let mut faults = Vec::new();
    let mut events = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match event(index, item) {
            Ok(event) => events.push(event),
            Err(found) => faults.extend(found),
        }
        if faults.len() >= MAX_FAULTS {
            break;
        }
    }
    if faults.is_empty() { Ok(Batch(events)) } else { Err(faults) }
}

fn event(index: usize, item: &Value) -> Result<BatchEvent, Vec<Fault>> {
    if !item.is_object() {
        return Err(vec![Fault::new(format!("/{index}"), "a CloudEvent (an object) expected")]);
    }
    let missing = |name: &str| {
        Fault::new(format!("/{index}/{name}"), format!("Missing required field: {index}.{name}"))
    };
    match (member(item, "type"), member(item, "source"), member(item, "id")) {
        (Some(name), Some(source), Some(id)) => match fitting(id.to_owned()) {
            Ok(EventId::Is(id)) if super::name::fits(name) => {
                Ok(BatchEvent { name: name.to_owned(), id: whole_id(&id, Some(source)) })
            }
            Ok(_) => Err(vec![Fault::new(format!("/{index}/type"), "type: cannot be an event name")]),
            Err(what) => Err(vec![Fault::new(format!("/{index}/id"), what)]),
        },
        (name, source, id) => {
            let attributes = [("type", name), ("source", source), ("id", id)];
            Err(attributes
                .into_iter()
                .filter(|(_, value)| value.is_none())
                .map(|(name, _)| missing(name))
                .collect())
        }
    }
}

/// The text of each event, exactly as written.
pub fn texts(batch: &[u8]) -> Vec<&str> {
    let items: Result<Vec<&RawValue>, _> = serde_json::from_slice(without_mark(batch));
    items.unwrap_or_default().into_iter().map(RawValue::get).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_event_has_a_type_and_an_id_of_its_own() {
        let first = json!({"type": "a", "source": "/s", "id": "1", "specversion": "1.0"});
        let second = json!({"type": "b", "source": "/t", "id": "1", "specversion": "1.0"});
        let batch = read(&json!([first, second])).unwrap();
        let ids: Vec<&str> = batch.0.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids, ["1#/s", "1#/t"]);
        assert_eq!(batch.ids_digest(), read(&json!([second, first, first])).unwrap().ids_digest());
        assert_ne!(batch.ids_digest(), read(&json!([first])).unwrap().ids_digest());
        assert_eq!(read(&json!([])).unwrap().ids_digest(), None);
        assert_eq!(texts(b"\xef\xbb\xbf[{\"a\": 1.0}, {} ]"), ["{\"a\": 1.0}", "{}"]);
    }

    #[test]
    fn what_is_no_event_is_named_with_its_place() {
        let faults = read(&json!([1, {"type": "a"}, {"type": "a", "source": "s", "id": " "}])).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(places, ["/0", "/1/source", "/1/id", "/2/id"]);
        assert!(read(&json!({})).is_err());
    }
}
