//! The store in one SQLite file: WAL, synchronous = FULL, one writer thread with group commit, and separate readers.

mod ages;
pub(super) mod causes;
mod checkpoint;
mod codec;
mod file;
mod insert;
mod job;
pub(super) mod lens;
pub(super) mod marks;
mod migrate;
pub(super) mod minutes;
pub(super) mod outbox;
pub(super) mod query;
mod queue;
mod reader;
pub(super) mod replay_runs;
pub(super) mod replays;
mod retention;
pub(super) mod saved_searches;
mod search;
mod shared;
mod upkeep;
mod writer;

pub use file::Sqlite;
