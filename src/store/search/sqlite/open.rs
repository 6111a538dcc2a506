//! The index of an unfinished segment, in memory. It can be searched at any time.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::builder::RowTerms;
use super::positions::{SEGMENT, first_of};
use super::rows::Rows;
use super::segment::{Postings, Segment};
use super::term::Hashed;

/// The rows of each slice; `None` if none has it.
type Slices = Vec<Option<Box<Rows>>>;

/// A segment that is being indexed, starting at its first position.
pub struct OpenSegment {
    number: i64,
    next: i64,
    segment: Segment,
    last_id: [u8; 16],
    /// All rows.
    rows: Rows,
    /// As in `Hashed::ALL`.
    slices: Vec<(Hashed, Slices)>,
    values: BTreeMap<Vec<u8>, Rows>,
}

/// A row to be added.
pub struct OpenRow {
    /// Its position.
    pub seq: i64,
    /// Its id.
    pub id: [u8; 16],
    /// When it was received, in microseconds UTC.
    pub received_at: i64,
    /// Its terms.
    pub terms: RowTerms,
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
            slices: Hashed::ALL.into_iter().map(|hashed| (hashed, vec![None; hashed.slices()])).collect(),
            values: BTreeMap::new(),
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
        for row in found {
            let Ok(place) = u16::try_from(row.seq.rem_euclid(SEGMENT)) else { continue };
            self.rows.insert(place);
            self.last_id = row.id;
            self.segment.earliest = self.segment.earliest.min(row.received_at);
            self.segment.latest = self.segment.latest.max(row.received_at);
            for ((_, slices), (_, of_row)) in self.slices.iter_mut().zip(row.terms.slices) {
                for slice in of_row {
                    if let Some(rows) = slices.get_mut(usize::from(slice)) {
                        rows.get_or_insert_with(|| Box::new(Rows::none())).insert(place);
                    }
                }
            }
            for value in row.terms.values {
                self.values.entry(value).or_insert_with(Rows::none).insert(place);
            }
        }
        self.next = next;
    }

    /// Calls `keep` with each term and its packed rows.
    pub fn each<E>(&self, mut keep: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        for (hashed, slices) in &self.slices {
            for (slice, rows) in (0_u16..).zip(slices) {
                if let Some(rows) = rows {
                    keep(&hashed.term(slice), &rows.packed(&self.rows))?;
                }
            }
        }
        self.values.iter().try_for_each(|(term, rows)| keep(term, &rows.packed(&self.rows)))
    }
}

impl Postings for OpenSegment {
    fn term(&self, term: &[u8]) -> rusqlite::Result<Rows> {
        let rows = match Hashed::slice(term) {
            Some((hashed, slice)) => {
                let slices = self.slices.iter().find(|(known, _)| *known == hashed);
                slices.and_then(|(_, slices)| slices.get(slice)?.as_deref())
            }
            None => self.values.get(term),
        };
        Ok(rows.cloned().unwrap_or_else(Rows::none))
    }

    fn range(&self, range: &RangeInclusive<Vec<u8>>) -> rusqlite::Result<Rows> {
        let mut found = Rows::none();
        // A range whose end is before its start would panic.
        if !range.is_empty() {
            self.values
                .range::<Vec<u8>, _>(range.start()..=range.end())
                .for_each(|(_, rows)| found.unite(rows));
        }
        Ok(found)
    }
}
