//! A segment of the log and its lookups.

use std::ops::RangeInclusive;

use super::rows::Rows;

/// The summary of a segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// When its first row was received, in microseconds UTC.
    pub earliest: i64,
    /// When its last row was received.
    pub latest: i64,
}

/// Finds the rows of a segment by slices and terms. What cannot be read may contain any row.
pub trait Postings {
    /// The rows of a slice.
    fn slice(&self, slice: u16) -> Rows;

    /// The rows of a term.
    fn term(&self, term: &[u8]) -> Rows;

    /// The rows of any term in a range.
    fn range(&self, range: &RangeInclusive<Vec<u8>>) -> Rows;
}
