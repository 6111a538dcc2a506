//! The sources in force, and how what they sent is read.

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;

use super::read::read;
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
        let scheme = found.map_or(Scheme::None, |source| source.signature.scheme);
        Some(match read(scheme, headers, body, rules.max_body).ok()?.text {
            Cow::Borrowed(text) => body.slice_ref(text),
            Cow::Owned(text) => Bytes::from(text),
        })
    }
}
