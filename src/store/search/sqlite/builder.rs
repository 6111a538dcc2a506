//! Reads the terms of a delivery, each once.

use super::term::{self, CLASSES, Kind};
use crate::domain::DeliveryRow;
use crate::store::search::text::{folded, folded_body};

/// The number of trigram buckets.
pub const BUCKETS: u32 = CLASSES.pow(3);

/// The terms of a delivery.
pub struct RowTerms {
    /// The trigrams of its body, by bucket.
    pub body: Vec<u32>,
    /// The trigrams of its other parts.
    pub head: Vec<u32>,
    /// The terms of its fields; a term may occur twice.
    pub values: Vec<Vec<u8>>,
}

/// Reads terms. Its buffers are reused from row to row.
pub struct Builder {
    seen: Vec<u64>,
}

impl Builder {
    pub fn new() -> Self {
        Self { seen: vec![0; usize::try_from(BUCKETS.div_ceil(64)).unwrap_or_default()] }
    }

    /// The terms of a row.
    pub fn terms(&mut self, row: &DeliveryRow, headers: &[u8], body: &[u8]) -> RowTerms {
        let mut letters = Vec::new();
        self.see(&folded_body(body), &mut letters);
        let body = self.each_once(letters);
        let mut letters = Vec::new();
        let named = [&row.event_type, &row.event_name, &row.event_id, &row.entity];
        for text in named.into_iter().flatten().chain([&row.path, &row.source]) {
            self.see(&folded(text.as_bytes()), &mut letters);
        }
        self.see(&folded(headers), &mut letters);
        let head = self.each_once(letters);
        RowTerms { body, head, values: values(row, headers) }
    }

    /// Adds the buckets of `text` that were not seen before to `letters`. The marks are few enough to stay in the
    /// processor's cache.
    fn see(&mut self, text: &[u8], letters: &mut Vec<u32>) {
        for bucket in term::buckets(text) {
            let Some(word) = self.word(bucket) else { continue };
            let bit = 1 << (bucket % 64);
            if *word & bit == 0 {
                *word |= bit;
                letters.push(bucket);
            }
        }
    }

    /// Clears the marks of these buckets.
    fn each_once(&mut self, letters: Vec<u32>) -> Vec<u32> {
        for bucket in &letters {
            if let Some(word) = self.word(*bucket) {
                *word = 0;
            }
        }
        letters
    }

    fn word(&mut self, bucket: u32) -> Option<&mut u64> {
        usize::try_from(bucket / 64).ok().and_then(|at| self.seen.get_mut(at))
    }
}

fn values(row: &DeliveryRow, headers: &[u8]) -> Vec<Vec<u8>> {
    let fields = [
        (Kind::Source, Some(&row.source)),
        (Kind::Method, Some(&row.method)),
        (Kind::EventType, row.event_type.as_ref()),
        (Kind::EventType, row.event_name.as_ref()),
        (Kind::EventId, row.event_id.as_ref()),
        (Kind::Entity, row.entity.as_ref()),
    ];
    let mut values: Vec<Vec<u8>> =
        fields.into_iter().filter_map(|(kind, value)| Some(kind.value(value?.as_bytes()).0)).collect();
    values.extend([term::verdict(row.verdict), term::status(row.status)]);
    values.extend(row.reason.map(term::reason));
    values.extend(term::addresses(row.client_ip));
    for line in headers.split(|byte| *byte == b'\n') {
        if let Some(name) = memchr::memchr(b':', line).and_then(|end| line.get(..end)) {
            values.push(Kind::HeaderName.value(&name.to_ascii_lowercase()).0);
        }
    }
    values
}
