//! Search: an index of the log in a folder next to the store's file. It is built in the background and rebuilt when
//! lost.
//!
//! The log is divided into segments of 8,192 positions. For each term, the index knows in which rows of a segment it
//! occurs. A term is a value of a field, or a slice that many values or threes of letters share (see `term`). The index is in
//! memory while the segment fills, and in a file once it is full. The files of 32 segments are merged into one.
//!
//! A query is made into a plan (`plan`), which runs segment by segment, newest first. The index names candidates, and each
//! candidate is checked before it counts. The index may therefore name too many, never too few. Rows without an index are
//! read one by one. Nothing here blocks `append`.

mod builder;
mod candidates;
mod condition;
mod folder;
mod indexed;
mod indexer;
mod kept;
mod merge;
mod open;
mod pack;
mod pack_writer;
mod plan;
mod positions;
mod rice;
mod rows;
mod search;
mod segment;
mod signature;
mod term;
#[cfg(test)]
mod tests;
mod walk;

pub use condition::add_functions;
pub use folder::SearchFolder;
pub use indexer::Indexer;
