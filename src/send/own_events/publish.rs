//! Publishes an event as TagoRUN would. Missing members are filled in, and its messages are created before the
//! response.

use bytes::Bytes;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::notices::PUBLISHED;
use crate::catalog::Catalog;
use crate::domain::json::{Members, without_mark};
use crate::domain::{Fault, Headers, OutgoingEvent, Scheme, Timestamp};
use crate::payload::{self, POINTS_EVENT, PayloadFault, read_published};
use crate::send::state::Sender;
use crate::send::subscriptions::Reach;
use crate::send::wire::fresh_id;
use crate::store::{Published, StoreError};

/// An event that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedEvent {
    /// Its id, given or generated.
    pub event_id: String,
    /// The number of messages created now; 0 if it was published before.
    pub messages: u32,
    /// Warnings about it: valid but unusual content.
    pub warnings: Vec<String>,
}

/// Why an event was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishFault {
    /// It is not a valid event.
    #[error("the event has errors")]
    Invalid(Vec<Fault>),
    /// The id was published before, with another body.
    #[error("event {0} was published before, with another body")]
    Conflict(String),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sender {
    /// Publishes the posted event. Posting the same bytes under the same id again changes nothing.
    ///
    /// # Errors
    /// When it is not an event, another was published under its id, or the store cannot keep it.
    pub async fn publish(&self, posted: &Bytes) -> Result<PublishedEvent, PublishFault> {
        // The event goes to every subscription that exists, on whichever node it was created.
        self.follow().await?;
        let now = self.both();
        let read = read_published(posted).map_err(PublishFault::Invalid)?;
        let (event, mut warnings) = self.event_to_publish(posted, read, now.wall);
        let event_id = event.event_id.clone().unwrap_or_default();
        let reach = Reach::of(&self.subscriptions().all(), &event, None);
        warnings.extend(reach.warnings());
        let messages = reach.messages.clone();
        let targets: Vec<String> = messages.iter().map(|message| message.subscription.clone()).collect();
        let digest = Sha256::digest(posted).into();
        let messages = match self.store().publish(event.clone(), digest, messages, now).await? {
            Published::New(messages) => {
                self.note_filters(&reach, &event);
                messages
            }
            Published::Again => 0,
            Published::Conflict => return Err(PublishFault::Conflict(event_id)),
        };
        self.wakeups().tell(targets.iter().map(String::as_str));
        Ok(PublishedEvent { event_id, messages, warnings })
    }

    /// An event that is not stored, for previews.
    ///
    /// # Errors
    /// Every fault of its form.
    pub fn draft_event(&self, posted: &Bytes) -> Result<OutgoingEvent, Vec<Fault>> {
        if without_mark(posted).trim_ascii_start().starts_with(b"[") {
            return self.draft_points(posted);
        }
        let read = read_published(posted)?;
        Ok(self.event_to_publish(posted, read, self.wall()).0)
    }

    /// TagoIO's array of points, as the event its delivery would become.
    fn draft_points(&self, posted: &Bytes) -> Result<OutgoingEvent, Vec<Fault>> {
        let payload = payload::read(Scheme::None, &Headers::default(), posted, posted.len());
        let payload = payload.map_err(|fault| match fault {
            PayloadFault::NotPoints(faults) => faults,
            PayloadFault::NotJson(fault) => vec![fault.after("not JSON")],
            PayloadFault::Encoding(_) | PayloadFault::NotAnEvent(_) => {
                vec![Fault::new("", "must be an event, or TagoIO's array of data points")]
            }
        })?;
        Ok(OutgoingEvent {
            source: PUBLISHED.to_owned(),
            event_id: None,
            event_type: POINTS_EVENT.to_owned(),
            entity: payload.entity(""),
            received_at: self.wall(),
            body: posted.clone(),
            delivery: None,
            lineage: Vec::new(),
        })
    }

    fn event_to_publish(
        &self,
        posted: &Bytes,
        read: payload::Published,
        now: Timestamp,
    ) -> (OutgoingEvent, Vec<String>) {
        let (event_type, warnings) = type_of(self.catalog(), &read);
        let filled_time = (!read.has_timestamp).then(|| now.to_string());
        let id = read.event_id.clone().unwrap_or_else(|| fresh_id(now));
        let filled_id = read.event_id.is_none().then_some(id.as_str());
        let event = OutgoingEvent {
            source: PUBLISHED.to_owned(),
            body: filled_in(posted, filled_id, filled_time.as_deref()),
            event_id: Some(id),
            event_type,
            entity: read.entity,
            received_at: now,
            delivery: None,
            lineage: Vec::new(),
        };
        (event, warnings)
    }
}

/// The canonical name of an event, and its differences from the schema or usual shape. These are warnings, not errors.
fn type_of(catalog: &Catalog, read: &payload::Published) -> (String, Vec<String>) {
    let Some(known) = catalog.resolve(&read.name) else { return (read.name.clone(), Vec::new()) };
    let mut faults = known.check_as(&read.name, &read.value);
    if faults.is_empty() {
        faults = known.check_strictly(&read.name, &read.value);
    }
    // A missing time is filled in, so it is not a fault.
    let told = faults.iter().filter(|fault| read.has_timestamp || fault.path != "/timestamp");
    (known.name().to_owned(), told.map(|fault| format!("{}: {}", fault.path, fault.message)).collect())
}

/// The object with the missing members added in front; every other member keeps its text. If nothing is missing, the
/// bytes stay unchanged.
fn filled_in(posted: &Bytes, id: Option<&str>, timestamp: Option<&str>) -> Bytes {
    let missing: Vec<(&str, &str)> = [("id", id), ("timestamp", timestamp)]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    if missing.is_empty() {
        return posted.clone();
    }
    let Ok(members) = serde_json::from_slice::<Members<&RawValue>>(without_mark(posted)) else {
        return posted.clone();
    };
    let text = |value: &str| serde_json::Value::from(value).to_string();
    let filled = missing.iter().map(|(key, value)| format!("{}:{}", text(key), text(value)));
    let kept = members
        .0
        .iter()
        .filter(|(key, _)| !missing.iter().any(|(known, _)| known == key))
        .map(|(key, value)| format!("{}:{}", text(key), value.get()));
    Bytes::from(format!("{{{}}}", filled.chain(kept).collect::<Vec<_>>().join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_put_in_front_and_the_rest_keeps_its_text() {
        let posted = Bytes::from_static(
            b"{ \"event\" : \"a\", \"id\": null, \"n\": 1.0, \"big\":123456789012345678901234567890 }",
        );
        let filled = filled_in(&posted, Some("e\"1"), Some("t"));
        assert_eq!(
            std::str::from_utf8(&filled).unwrap(),
            r#"{"id":"e\"1","timestamp":"t","event":"a","n":1.0,"big":123456789012345678901234567890}"#
        );
        assert_eq!(filled_in(&posted, None, None), posted);
    }

    #[test]
    fn an_alias_gets_its_own_name_and_what_an_event_lacks_is_a_warning() {
        let catalog = Catalog::builtin();
        let of = |body: &str| type_of(&catalog, &read_published(body.as_bytes()).unwrap());
        assert_eq!(of(r#"{"event":"user.created","device":{"id":"d1"}}"#).0, "user.registration");
        let (name, warnings) = of(r#"{"event":"user.login","timestamp":"x","user":{"id":"u"}}"#);
        assert_eq!(name, "user.login");
        assert!(warnings.iter().any(|warning| warning.contains("user.email")), "{warnings:?}");
        assert_eq!(of(r#"{"event":"of.our.own"}"#), ("of.our.own".to_owned(), Vec::new()));
    }
}
