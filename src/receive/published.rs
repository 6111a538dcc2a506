//! What our own publisher reads: an event that a person or a program hands in, as TagoRUN would send it.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::event_id::{EventId, read_id};
use super::payload::{self, Payload};
use super::receiver::Receiver;
use super::signature::VerifiedBody;
use super::{json, schema};
use crate::domain::{
    Allowlist, EventFacts, Fault, Headers, PublishedFacts, SchemaMode, Scheme, SignatureRule, SilenceAfter,
    Source, UnknownEvents,
};

/// The rules of the publisher: the schema is told, not enforced.
fn rules() -> Source {
    Source {
        name: "published".to_owned(),
        signature: SignatureRule { scheme: Scheme::None, secrets: Vec::new(), tolerance: Duration::ZERO },
        allow: Allowlist::default(),
        credentials: Vec::new(),
        schema: SchemaMode::Warn,
        unknown_events: UnknownEvents::Accept,
        id_pointer: "/id".to_owned(),
        dedupe_by_body: None,
        entity: "/device/id".to_owned(),
        silence_after: SilenceAfter::Off,
        sender_timeout: std::time::Duration::from_secs(30),
    }
}

impl Receiver {
    /// Reads an event that is to be published: an object with a name, as the specification has it.
    ///
    /// # Errors
    /// Every fault of its form, with its place; departures from the event's schema are warnings, not faults.
    pub fn read_published(&self, body: &[u8]) -> Result<PublishedFacts, Vec<Fault>> {
        let value = json::parse(body).map_err(|fault| vec![Fault::new("", format!("not JSON: {fault}"))])?;
        if !value.is_object() {
            return Err(vec![Fault::new("", format!("object expected, {} seen", json::kind(&value)))]);
        }
        let exact = || json::raw_at(body, "/id").map(str::to_owned);
        let event_id = match read_id(value.get("id"), exact) {
            Ok(EventId::Is(id)) => Some(id),
            Ok(EventId::Absent) => None,
            Err(what) => return Err(vec![Fault::new("/id", what)]),
        };
        let has_timestamp = value.get("timestamp").is_some_and(|timestamp| *timestamp != Value::Null);
        let payload = Payload { text: Cow::Borrowed(body), value, points: None };
        let mut facts = EventFacts::default();
        let rules = rules();
        let checked = schema::check(&rules, self.catalog(), &Headers::default(), &payload, &mut facts).open();
        let ((), finding) = checked.map_err(|finding| finding.faults)?;
        // A time that is missing is filled in.
        let told = finding.faults.iter().filter(|fault| has_timestamp || fault.path != "/timestamp");
        let warnings = told.map(|fault| format!("{}: {}", fault.path, fault.message)).collect();
        Ok(PublishedFacts {
            event_type: facts.event_type.unwrap_or_default(),
            event_id,
            entity: payload.entity(&rules.entity),
            has_timestamp,
            warnings,
        })
    }

    /// The JSON text of a delivery that was accepted: content coding and form wrapping taken off. `None` where it
    /// cannot be read by the rules as they now are.
    #[must_use]
    pub fn payload_text(&self, source: &str, headers: &Headers, body: &Bytes) -> Option<Bytes> {
        let scheme = self.source(source).map_or(Scheme::None, |source| source.signature.scheme);
        let accepted = VerifiedBody::of_accepted(body);
        let (payload, _) = payload::parse(scheme, headers, accepted, self.max_body()).open().ok()?;
        Some(match payload.text {
            Cow::Borrowed(text) => body.slice_ref(text),
            Cow::Owned(text) => Bytes::from(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::Catalog;
    use crate::receive::Masking;

    fn receiver() -> Receiver {
        Receiver::new(Vec::new(), Arc::new(Catalog::builtin()), Arc::new(Masking::new([7; 32])), 1 << 20)
    }

    #[test]
    fn an_event_needs_a_name_and_what_it_lacks_is_a_warning() {
        let read = |body: &str| receiver().read_published(body.as_bytes());
        let facts = read(r#"{"event":"user.created","id":42,"device":{"id":"d1"}}"#).unwrap();
        assert_eq!((facts.event_type.as_str(), facts.event_id.as_deref()), ("user.registration", Some("42")));
        assert_eq!((facts.entity.as_deref(), facts.has_timestamp), (Some("d1"), false));
        let login = read(r#"{"event":"user.login","timestamp":"x","user":{"id":"u"}}"#).unwrap();
        assert!(login.has_timestamp);
        assert!(login.warnings.iter().any(|warning| warning.contains("user.email")), "{:?}", login.warnings);
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
