//! Reads the slices and terms of a delivery.

use std::net::IpAddr;

use super::signature::Signature;
use super::term::{self, Field, Hashed, Kind};
use crate::domain::{Reason, Verdict};
use crate::store::search::text::{folded, folded_body};

/// What is indexed of a delivery.
pub struct Indexable {
    /// Its source, as in the path.
    pub source: String,
    /// The method of its request.
    pub method: String,
    /// The path of its request.
    pub path: String,
    /// Who sent it.
    pub client_ip: IpAddr,
    /// The type of its event.
    pub event_type: Option<String>,
    /// The name of its event.
    pub event_name: Option<String>,
    /// The id of its event.
    pub event_id: Option<String>,
    /// The device or other thing that its event is about.
    pub entity: Option<String>,
    /// The verdict on it.
    pub verdict: Verdict,
    /// The reason for the verdict.
    pub reason: Option<Reason>,
    /// The status of the response.
    pub status: u16,
    /// The header block.
    pub headers: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

impl Indexable {
    /// The slices of its text and of values that may all differ.
    pub fn signature(&self) -> Signature {
        let mut signature = Signature::new();
        signature.text(Hashed::Body, &folded_body(&self.body));
        let named = [&self.event_type, &self.event_name, &self.event_id, &self.entity];
        for text in named.into_iter().flatten().chain([&self.path, &self.source]) {
            signature.text(Hashed::Head, &folded(text.as_bytes()));
        }
        signature.text(Hashed::Head, &folded(&self.headers));
        for (field, value) in [(Field::EventId, &self.event_id), (Field::Entity, &self.entity)] {
            value.iter().for_each(|value| signature.mark(field.slices(value.bytes())));
        }
        term::ranges(self.client_ip).for_each(|range| signature.mark(Field::Address.slices(range)));
        for line in self.headers.split(|byte| *byte == b'\n') {
            if let Some(name) = memchr::memchr(b':', line).and_then(|end| line.get(..end)) {
                signature.mark(Field::HeaderName.slices(name.iter().map(u8::to_ascii_lowercase)));
            }
        }
        signature
    }

    /// The terms of its other fields; a term may occur twice.
    pub fn terms(&self) -> Vec<Vec<u8>> {
        let fields = [
            (Kind::Source, Some(&self.source)),
            (Kind::Method, Some(&self.method)),
            (Kind::EventType, self.event_type.as_ref()),
            (Kind::EventType, self.event_name.as_ref()),
        ];
        let mut terms: Vec<Vec<u8>> =
            fields.into_iter().filter_map(|(kind, value)| Some(kind.value(value?.as_bytes()).0)).collect();
        terms.extend([term::verdict(self.verdict), term::status(self.status)]);
        terms.extend(self.reason.map(term::reason));
        terms
    }
}
