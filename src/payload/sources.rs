//! The sources in force, and how what they sent is read.

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;

use super::cloud_batch::{self, Batch, BatchEvent};
use super::read::{Payload, entity_at, read};
use crate::domain::{Headers, Scheme, Source};

/// The sources in force. Cheap to clone; all clones are the same, and a reload replaces what they hold.
#[derive(Clone)]
pub struct Sources(Arc<ArcSwap<InForce>>);

struct InForce {
    sources: Arc<[Source]>,
    max_body: usize,
}

impl Sources {
    /// These sources, the default one first. `max_body` is in bytes.
    #[must_use]
    pub fn new(sources: Vec<Source>, max_body: usize) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(InForce { sources: sources.into(), max_body })))
    }

    /// Puts others in their place.
    pub fn replace(&self, sources: Vec<Source>, max_body: usize) {
        self.0.store(Arc::new(InForce { sources: sources.into(), max_body }));
    }

    /// All of them, the default one first.
    #[must_use]
    pub fn all(&self) -> Arc<[Source]> {
        Arc::clone(&self.0.load().sources)
    }

    /// The most bytes of a body.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.0.load().max_body
    }

    /// The source of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Source> {
        self.all().iter().find(|source| source.name == name).cloned()
    }

    /// The JSON text of a delivery that was accepted: content coding and form wrapping taken off. `None` where it
    /// cannot be read by the rules as they now are.
    #[must_use]
    pub fn payload_text(&self, source: &str, headers: &Headers, body: &Bytes) -> Option<Bytes> {
        let rules = self.0.load();
        let found = rules.sources.iter().find(|known| known.name == source);
        Some(text_of(body, read(scheme_of(found), headers, body, rules.max_body).ok()?.text))
    }

    /// The events of a delivery that was accepted: one, or those of its batch. Empty where it cannot be read by the rules as
    /// they now are.
    #[must_use]
    pub fn event_texts(&self, source: &str, headers: &Headers, body: &Bytes) -> Vec<EventText> {
        let rules = self.0.load();
        let found = rules.sources.iter().find(|known| known.name == source);
        let Ok(payload) = read(scheme_of(found), headers, body, rules.max_body) else { return Vec::new() };
        let Payload { text, value, batch, .. } = payload;
        let text = text_of(body, text);
        let Some(Batch(events)) = batch else { return vec![EventText { text, of_batch: None }] };
        let pointer = found.map_or("", |source| &source.entity);
        let texts = cloud_batch::texts(&text).into_iter().enumerate().zip(events);
        texts
            .map(|((index, event), said)| {
                let entity = value.get(index).and_then(|event| entity_at(event, pointer));
                EventText { text: text.slice_ref(event.as_bytes()), of_batch: Some((said, entity)) }
            })
            .collect()
    }
}

/// An event of a delivery.
#[derive(Clone, Debug)]
pub struct EventText {
    /// Its JSON.
    pub text: Bytes,
    /// What it says of itself and what it is about, where it is one of a batch; else the delivery says that.
    pub of_batch: Option<(BatchEvent, Option<String>)>,
}

fn scheme_of(source: Option<&Source>) -> Scheme {
    source.map_or(Scheme::None, |source| source.signature.scheme)
}

fn text_of(body: &Bytes, text: Cow<'_, [u8]>) -> Bytes {
    match text {
        Cow::Borrowed(text) => body.slice_ref(text),
        Cow::Owned(text) => Bytes::from(text),
    }
}
