//! The index of an unfinished segment, in memory. It can be searched at any time.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeInclusive};

use super::builder::{BUCKETS, RowTerms};
use super::positions::{SEGMENT, first_of};
use super::rows::{self, Rows};
use super::segment::{Postings, Segment};
use super::term::Kind;

/// The places of the rows with a term, ascending.
type Places = Vec<u16>;

/// A segment that is being indexed, starting at its first position.
pub struct OpenSegment {
    number: i64,
    next: i64,
    segment: Segment,
    last_id: [u8; 16],
    rows: usize,
    body: Vec<Places>,
    head: Vec<Places>,
    values: BTreeMap<Vec<u8>, Places>,
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
        let buckets = usize::try_from(BUCKETS).unwrap_or_default();
        Self {
            number,
            next: first_of(number),
            segment: Segment { earliest: i64::MAX, latest: i64::MIN },
            last_id: [0; 16],
            rows: 0,
            body: vec![Places::new(); buckets],
            head: vec![Places::new(); buckets],
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
            self.rows = self.rows.saturating_add(1);
            self.last_id = row.id;
            self.segment.earliest = self.segment.earliest.min(row.received_at);
            self.segment.latest = self.segment.latest.max(row.received_at);
            for (places, buckets) in [(&mut self.body, row.terms.body), (&mut self.head, row.terms.head)] {
                for bucket in buckets {
                    if let Some(places) = usize::try_from(bucket).ok().and_then(|at| places.get_mut(at)) {
                        places.push(place);
                    }
                }
            }
            for value in row.terms.values {
                let places = self.values.entry(value).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        self.next = next;
    }

    /// Calls `keep` with each term and its packed rows, in order of the terms.
    pub fn each<E>(&self, mut keep: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        for (kind, buckets) in [(Kind::BodyText, &self.body), (Kind::HeadText, &self.head)] {
            for (bucket, places) in (0_u32..).zip(buckets).filter(|(_, places)| !places.is_empty()) {
                keep(&kind.letters(bucket), &rows::pack(places, self.rows))?;
            }
        }
        self.values.iter().try_for_each(|(term, places)| keep(term, &rows::pack(places, self.rows)))
    }

    /// The places of each term in a range.
    fn range_of(&self, first: &[u8], last: &[u8]) -> impl Iterator<Item = &Places> {
        let letters = match (Kind::bucket(first), Kind::bucket(last)) {
            (Some((Kind::BodyText, first)), Some((_, last))) => self.body.get(first..=last),
            (Some((_, first)), Some((_, last))) => self.head.get(first..=last),
            _ => None,
        };
        // A range whose end is before its start would panic here.
        let bounds = (first <= last).then_some((Bound::Included(first), Bound::Included(last)));
        let values = bounds.into_iter().flat_map(|bounds| self.values.range::<[u8], _>(bounds));
        letters.into_iter().flatten().chain(values.map(|(_, places)| places))
    }
}

impl Postings for OpenSegment {
    fn term(&self, term: &[u8]) -> rusqlite::Result<Rows> {
        Ok(Rows::of(self.range_of(term, term).flatten().copied()))
    }

    fn range(&self, range: &RangeInclusive<Vec<u8>>) -> rusqlite::Result<Rows> {
        Ok(Rows::of(self.range_of(range.start(), range.end()).flatten().copied()))
    }
}
