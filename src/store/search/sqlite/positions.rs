//! The positions of the log, divided into segments.

/// The positions of one segment.
pub const SEGMENT: i64 = 8_192;

/// The segment that contains `seq`.
pub const fn segment_of(seq: i64) -> i64 {
    seq.div_euclid(SEGMENT)
}

/// The first position of a segment.
pub const fn first_of(segment: i64) -> i64 {
    segment.saturating_mul(SEGMENT)
}
