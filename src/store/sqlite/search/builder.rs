//! Collects the terms of a segment's rows.

use std::collections::HashMap;

use super::term::{self, CLASSES, Kind};
use super::text::{folded, folded_body};
use super::{SEGMENT, rows};
use crate::domain::DeliveryRow;

/// What becomes of a segment: each term in order, with its rows as they are kept.
pub struct Builder {
    body: Vec<Vec<u16>>,
    head: Vec<Vec<u16>>,
    values: HashMap<Vec<u8>, Vec<u16>>,
    seen: Seen,
    rows: usize,
}

impl Builder {
    pub fn new() -> Self {
        let buckets = usize::try_from(CLASSES.pow(3)).unwrap_or_default();
        Self {
            body: vec![Vec::new(); buckets],
            head: vec![Vec::new(); buckets],
            values: HashMap::new(),
            seen: Seen { words: vec![0; buckets.div_ceil(64)], touched: Vec::new() },
            rows: 0,
        }
    }

    /// Adds a row. Rows come in the order of their positions.
    pub fn add(&mut self, row: &DeliveryRow, headers: &[u8], body: &[u8]) {
        let Ok(place) = u16::try_from(row.seq.rem_euclid(SEGMENT)) else { return };
        self.rows = self.rows.saturating_add(1);
        self.seen.add(&folded_body(body));
        self.seen.move_to(&mut self.body, place);
        let named = [&row.event_type, &row.event_name, &row.event_id, &row.entity];
        for text in named.into_iter().flatten().chain([&row.path, &row.source]) {
            self.seen.add(&folded(text.as_bytes()));
        }
        self.seen.add(&folded(headers));
        self.seen.move_to(&mut self.head, place);
        let values = [
            (Kind::Source, Some(&row.source)),
            (Kind::Method, Some(&row.method)),
            (Kind::EventType, row.event_type.as_ref()),
            (Kind::EventType, row.event_name.as_ref()),
            (Kind::EventId, row.event_id.as_ref()),
            (Kind::Entity, row.entity.as_ref()),
        ];
        for (kind, value) in values {
            if let Some(value) = value {
                self.add_value(kind.value(value.as_bytes()).0, place);
            }
        }
        self.add_value(term::verdict(row.verdict), place);
        self.add_value(term::status(row.status), place);
        if let Some(reason) = row.reason {
            self.add_value(term::reason(reason), place);
        }
        for term in term::addresses(row.client_ip) {
            self.add_value(term, place);
        }
        for line in headers.split(|byte| *byte == b'\n') {
            if let Some(end) = memchr::memchr(b':', line) {
                let name = line.get(..end).unwrap_or_default().to_ascii_lowercase();
                self.add_value(Kind::HeaderName.value(&name).0, place);
            }
        }
    }

    fn add_value(&mut self, term: Vec<u8>, place: u16) {
        add_place(self.values.entry(term).or_default(), place);
    }

    /// Calls `keep` with each term and its rows, in the order of the terms.
    pub fn finish<E>(self, mut keep: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        let rows = self.rows;
        for (kind, buckets) in [(Kind::BodyText, self.body), (Kind::HeadText, self.head)] {
            for (bucket, places) in (0_u32..).zip(buckets).filter(|(_, places)| !places.is_empty()) {
                keep(&kind.letters(bucket), &rows::pack(&places, rows))?;
            }
        }
        let mut values: Vec<(Vec<u8>, Vec<u16>)> = self.values.into_iter().collect();
        values.sort_unstable();
        values.into_iter().try_for_each(|(term, places)| keep(&term, &rows::pack(&places, rows)))
    }
}

/// The buckets of one row's text, each once: small enough to stay close to the processor.
struct Seen {
    words: Vec<u64>,
    touched: Vec<u32>,
}

impl Seen {
    fn add(&mut self, text: &[u8]) {
        for bucket in term::buckets(text) {
            let word = usize::try_from(bucket / 64).ok().and_then(|at| self.words.get_mut(at));
            let Some(word) = word else { continue };
            let bit = 1 << (bucket % 64);
            if *word & bit == 0 {
                *word |= bit;
                self.touched.push(bucket);
            }
        }
    }

    fn move_to(&mut self, buckets: &mut [Vec<u16>], place: u16) {
        for bucket in self.touched.drain(..) {
            let Ok(bucket) = usize::try_from(bucket) else { continue };
            if let Some(word) = self.words.get_mut(bucket / 64) {
                *word = 0;
            }
            if let Some(places) = buckets.get_mut(bucket) {
                places.push(place);
            }
        }
    }
}

/// A row that was added last is not added again.
fn add_place(places: &mut Vec<u16>, place: u16) {
    if places.last() != Some(&place) {
        places.push(place);
    }
}
