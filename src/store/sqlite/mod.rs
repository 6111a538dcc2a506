//! The machinery of the store in one SQLite file: WAL, synchronous = FULL except for retention, one writer thread with
//! group commit, and separate readers.

mod batch;
mod checkpoint;
mod connection;
mod engine;
pub mod fields;
mod intake;
mod job;
mod migrate;
pub mod reader;
pub mod shared;
pub mod square;
mod unfinished;
mod upkeep;
mod writer;

pub use engine::Sqlite;
pub use migrate::migrate;
pub use unfinished::is_unfinished;

/// A length as SQLite's integer.
pub fn whole(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
