//! The sources in force, and how their deliveries are read.

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use url::Url;

use super::cloud_batch::{self, Batch, BatchEvent};
use super::read::{Payload, entity_at, read};
use crate::domain::{Headers, MaskKey, Scheme, Source};

/// The sources in force, and where senders reach them. Cheap to clone; all clones share them, and a reload replaces the
/// sources.
#[derive(Clone)]
pub struct Sources {
    in_force: Arc<ArcSwap<InForce>>,
    public: Arc<ArcSwapOption<Url>>,
    masks: Option<Arc<MaskKey>>,
}

struct InForce {
    sources: Arc<[Source]>,
    max_body: usize,
}

impl Sources {
    /// These sources, the default one first. `max_body` is in bytes.
    #[must_use]
    pub fn new(sources: Vec<Source>, max_body: usize) -> Self {
        let in_force = InForce { sources: sources.into(), max_body };
        Self { in_force: Arc::new(ArcSwap::from_pointee(in_force)), public: Arc::default(), masks: None }
    }

    /// The same, of an installation with that key.
    #[must_use]
    pub fn masked_with(self, masks: Arc<MaskKey>) -> Self {
        Self { masks: Some(masks), ..self }
    }

    /// The key of the masks in stored deliveries.
    #[must_use]
    pub fn masks(&self) -> Option<&MaskKey> {
        self.masks.as_deref()
    }

    /// Replaces the sources.
    pub fn replace(&self, sources: Vec<Source>, max_body: usize) {
        self.in_force.store(Arc::new(InForce { sources: sources.into(), max_body }));
    }

    /// The public address under which senders reach the receiver, where it is known. It ends with a slash.
    #[must_use]
    pub fn public(&self) -> Option<Arc<Url>> {
        self.public.load_full()
    }

    /// Sets the public address.
    pub fn reached_at(&self, public: Option<Url>) {
        self.public.store(public.map(Arc::new));
    }

    /// All sources, the default one first.
    #[must_use]
    pub fn all(&self) -> Arc<[Source]> {
        Arc::clone(&self.in_force.load().sources)
    }

    /// The most bytes in a body.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.in_force.load().max_body
    }

    /// The source with that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Source> {
        self.all().iter().find(|source| source.name == name).cloned()
    }

    /// The JSON text of an accepted delivery, without content coding and form wrapping. `None` if it cannot be read by
    /// the current rules.
    #[must_use]
    pub fn payload_text(&self, source: &str, headers: &Headers, body: &Bytes) -> Option<Bytes> {
        let rules = self.in_force.load();
        let found = rules.sources.iter().find(|known| known.name == source);
        Some(text_of(body, read(scheme_of(found), headers, body, rules.max_body).ok()?.text))
    }

    /// The events of an accepted delivery: one, or those of its batch. Empty if it cannot be read by the current
    /// rules.
    #[must_use]
    pub fn event_texts(&self, source: &str, headers: &Headers, body: &Bytes) -> Vec<EventText> {
        let rules = self.in_force.load();
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
    /// The attributes and the entity of an event in a batch; otherwise the delivery has them.
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
