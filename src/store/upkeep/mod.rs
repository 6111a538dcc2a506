//! Measuring, pruning and closing a store.

pub mod ages;
pub mod postgres;
mod pruned;
mod rules;
pub mod sqlite;

use std::time::Duration;

use async_trait::async_trait;

pub use pruned::Pruned;

use super::StoreError;
use crate::domain::Timestamp;

/// The connections of this node to a database, by what they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// They run statements.
    pub in_use: usize,
    /// They wait for work.
    pub idle: usize,
    /// Their COMMIT was not answered in time; they are not used until it is.
    pub set_aside: usize,
}

/// How large the store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreSize {
    /// Bytes of the file in use.
    pub used: u64,
    /// Bytes of the write-ahead log.
    pub wal: u64,
    /// Bytes of the search index.
    pub search: u64,
    /// Segments of the log that the search index covers.
    pub search_segments: u64,
    /// The number of deliveries that wait for the writer.
    pub queue_depth: u64,
    /// The connections to a database; `None` where the store is a file.
    pub connections: Option<Connections>,
}

/// What keeps a store in shape.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Runs retention until nothing is left to remove.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn prune(&self) -> Result<Pruned, StoreError>;

    /// Checks that a delivery could be written now, with a small write.
    ///
    /// # Errors
    /// As for `Log::append`.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Gives up memory that would only make the next work quicker.
    ///
    /// # Errors
    /// `Full` and `Unavailable`: it keeps the memory.
    async fn rest(&self) -> Result<(), StoreError>;

    /// The current size of the store.
    fn size(&self) -> StoreSize;

    /// The number of deliveries that wait to be written.
    fn queue_depth(&self) -> usize;

    /// Writes everything that waits, then closes the store. Later calls fail with `Unavailable`.
    async fn close(&self);
}

/// Rows of age `keep` expire before this instant, in microseconds UTC.
pub fn cutoff(now: Timestamp, keep: Duration) -> i64 {
    now.minus(keep).as_micros()
}
