//! The positions of the log, divided into segments, and the segments, divided into blocks.

use std::ops::RangeInclusive;

/// The positions of one segment.
pub const SEGMENT: i64 = 8_192;
/// The segments of one block.
const BLOCK: i64 = 32;

/// The segment that contains `seq`.
pub const fn segment_of(seq: i64) -> i64 {
    seq.div_euclid(SEGMENT)
}

/// The first position of a segment.
pub const fn first_of(segment: i64) -> i64 {
    segment.saturating_mul(SEGMENT)
}

/// The last position of a segment.
pub const fn last_of(segment: i64) -> i64 {
    first_of(segment).saturating_add(SEGMENT).saturating_sub(1)
}

/// The segments of the block that contains `segment`.
pub const fn block_of(segment: i64) -> RangeInclusive<i64> {
    let first = segment.div_euclid(BLOCK).saturating_mul(BLOCK);
    first..=first.saturating_add(BLOCK).saturating_sub(1)
}
