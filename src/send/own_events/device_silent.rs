//! The event `device.silent`: a device was not seen for longer than its source allows.

use serde_json::{Map, Value, json};

use super::notices::own_event;
use crate::domain::{Entity, Now, OutgoingEvent};
use crate::send::state::Sender;
use crate::store::NewMessage;

impl Sender {
    /// The event for a silent entity, and its messages. Nothing is stored here.
    #[must_use]
    pub fn silence_notice(&self, entity: &Entity, now: Now) -> (OutgoingEvent, Vec<NewMessage>) {
        let silent_for_s = now.due.abs_diff(entity.heard_at()).as_secs();
        let mut device = Map::new();
        device.insert("id".to_owned(), entity.entity.clone().into());
        if let Some(name) = entity.own_name.as_ref().or(entity.name.as_ref()) {
            device.insert("name".to_owned(), name.clone().into());
        }
        let data = json!({
            "source": entity.source,
            "last_seen": entity.last_seen.to_string(),
            "last_delivery_id": entity.last_delivery.to_string(),
            "last_event": entity.last_event_type,
            "silent_for_s": silent_for_s,
            "usual_interval_s": entity.usual().map(|usual| usual.as_secs()),
        });
        let (mut event, messages) = own_event(
            self,
            "device.silent",
            vec![("device", Value::Object(device)), ("data", data)],
            now.wall,
        );
        event.entity = Some(entity.entity.clone());
        (event, messages)
    }
}
