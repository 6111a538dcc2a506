//! Search: an index of the log in its own file next to the store's. It is built in the background and rebuilt when
//! lost.
//!
//! The log is divided into segments of 8,192 positions. For each term, the index knows in which rows of a segment it
//! occurs. A term is a value of a field, or a slice that many values or threes of letters share (see `term`). The index is in
//! memory while the segment fills, and in the file once it is full.
//!
//! A query runs segment by segment, newest first. The index names candidates, and each candidate is checked before it
//! counts. The index may therefore name too many, never too few. Rows without an index are read one by one. Nothing
//! here blocks `append`.

mod builder;
mod candidates;
mod condition;
mod file;
mod indexer;
mod open;
mod positions;
mod rice;
mod rows;
mod search;
mod segment;
mod signature;
mod term;
mod walk;

pub use condition::add_functions;
pub use file::SearchFile;
pub use indexer::Indexer;
