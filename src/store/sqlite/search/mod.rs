//! Search: an index of the log in a file of its own beside the store's, made in the background and made anew when lost.
//!
//! The log is cut into segments of 8,192 positions. The index knows for each term (a field's value, or three letters that
//! follow each other) in which rows of a segment it occurs: in memory while the segment fills, in the file once it is
//! full. A question is answered segment by segment, the newest first: the index names the candidates, and each is looked
//! at before it counts, so the index may name too many and never too few. What has no index yet is read row by row.
//! Nothing here is in the way of `append`.

mod builder;
mod candidates;
mod condition;
mod file;
mod indexer;
mod open;
mod rows;
mod segment;
mod term;
mod text;
mod walk;

pub use condition::{Where, add_functions};
pub use file::SearchFile;
pub use indexer::Indexer;
pub use walk::list;

/// The positions of one segment.
pub const SEGMENT: i64 = 8_192;

/// The segment that `seq` lies in.
pub const fn segment_of(seq: i64) -> i64 {
    seq.div_euclid(SEGMENT)
}

/// The first position of a segment.
pub const fn first_of(segment: i64) -> i64 {
    segment.saturating_mul(SEGMENT)
}
