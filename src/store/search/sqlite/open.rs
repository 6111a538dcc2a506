//! The index of an unfinished segment, in memory. It can be searched at any time.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::builder::Indexable;
use super::pack::append;
use super::positions::{SEGMENT, first_of};
use super::rows::Rows;
use super::segment::{Postings, Segment};
use super::signature::{Signature, Slices};
use super::term::SLICES;

/// A segment that is being indexed, starting at its first position.
pub struct OpenSegment {
    number: i64,
    next: i64,
    segment: Segment,
    last_id: [u8; 16],
    /// All rows.
    rows: Rows,
    slices: Slices,
    terms: BTreeMap<Vec<u8>, Rows>,
}

/// A row to be added.
pub struct OpenRow {
    seq: i64,
    id: [u8; 16],
    received_at: i64,
    signature: Signature,
    terms: Vec<Vec<u8>>,
}

impl OpenRow {
    /// The row at `seq`, with its id and when it was received, in microseconds UTC.
    pub fn new(seq: i64, id: [u8; 16], received_at: i64, indexable: &Indexable) -> Self {
        Self { seq, id, received_at, signature: indexable.signature(), terms: indexable.terms() }
    }
}

impl OpenSegment {
    /// Nothing is indexed yet.
    pub fn new(number: i64) -> Self {
        Self {
            number,
            next: first_of(number),
            segment: Segment { earliest: i64::MAX, latest: i64::MIN },
            last_id: [0; 16],
            rows: Rows::none(),
            slices: Slices::new(),
            terms: BTreeMap::new(),
        }
    }

    /// The number of the segment.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// The first position that is not indexed.
    pub const fn next(&self) -> i64 {
        self.next
    }

    /// The summary of the segment.
    pub const fn segment(&self) -> Segment {
        self.segment
    }

    /// The id of the row added last.
    pub const fn last_id(&self) -> [u8; 16] {
        self.last_id
    }

    /// Adds all rows before the position `next`, in order of position.
    pub fn add(&mut self, found: Vec<OpenRow>, next: i64) {
        let mut signatures = Vec::with_capacity(found.len());
        for row in found {
            let Ok(place) = u16::try_from(row.seq.rem_euclid(SEGMENT)) else { continue };
            self.rows.insert(place);
            self.last_id = row.id;
            self.segment.earliest = self.segment.earliest.min(row.received_at);
            self.segment.latest = self.segment.latest.max(row.received_at);
            for term in row.terms {
                self.terms.entry(term).or_insert_with(Rows::none).insert(place);
            }
            signatures.push((usize::from(place), row.signature));
        }
        self.slices.add(&signatures);
        self.next = next;
    }

    /// Its terms, in order.
    pub fn terms(&self) -> impl Iterator<Item = &[u8]> {
        self.terms.keys().map(Vec::as_slice)
    }

    /// The entries of a file of this segment: those of the slices, then those of the terms.
    pub fn entries(&self) -> impl Iterator<Item = Vec<u8>> {
        let slices = (0..SLICES).filter_map(|slice| u16::try_from(slice).ok());
        let slices = slices.map(|slice| self.slices.rows(slice).packed(&self.rows));
        let terms = self.terms.values().map(|rows| rows.packed(&self.rows));
        slices.chain(terms).map(|packed| {
            let mut entry = Vec::with_capacity(packed.len().saturating_add(2));
            append(&mut entry, &packed);
            entry
        })
    }
}

impl Postings for OpenSegment {
    fn slice(&self, slice: u16) -> Rows {
        self.slices.rows(slice)
    }

    fn term(&self, term: &[u8]) -> Rows {
        self.terms.get(term).cloned().unwrap_or_else(Rows::none)
    }

    fn range(&self, range: &RangeInclusive<Vec<u8>>) -> Rows {
        let mut found = Rows::none();
        // A range whose end is before its start would panic.
        if !range.is_empty() {
            self.terms
                .range::<Vec<u8>, _>(range.start()..=range.end())
                .for_each(|(_, rows)| found.unite(rows));
        }
        found
    }
}
