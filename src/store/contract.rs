//! What every store promises. A second kind of store would be a second variant and pass the same tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::StoreError;
use super::sqlite::{Sqlite, query};
use crate::domain::{
    Appended, Clock, DeliveryFilter, DeliveryId, DeliveryRow, Entry, Reason, StoredDelivery, Timestamp,
};
use crate::telemetry::Workers;

/// The response time of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its source.
    pub source: String,
    /// Microseconds until the response.
    pub duration_us: u64,
    /// The rejection reason.
    pub reason: Option<Reason>,
}

/// How to open a store.
#[derive(Clone)]
pub struct StoreOptions {
    /// The database file; its folder exists.
    pub path: PathBuf,
    /// The clock for retention and for the age of event ids.
    pub clock: Arc<dyn Clock>,
    /// How long each kind of row is kept.
    pub retention: Retention,
    /// The most deliveries that may wait for the writer.
    pub queue: usize,
    /// The most bytes of deliveries that may wait for the writer.
    pub queue_bytes: usize,
    /// The registry of the store's threads.
    pub workers: Workers,
}

/// How long each kind of row is kept. Event ids have their own retention and outlive their deliveries.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Maximum age of accepted and duplicate deliveries.
    pub keep_deliveries: Duration,
    /// Maximum age of rejected deliveries.
    pub keep_rejected: Duration,
    /// Maximum number of captures.
    pub keep_captured: u64,
    /// Maximum age of event ids.
    pub keep_event_ids: Duration,
    /// Maximum age of finished messages, with their attempts.
    pub keep_messages: Duration,
    /// Maximum age of dead letters.
    pub keep_dead_letters: Duration,
    /// Bytes in use in the whole file. Above this limit, captured deliveries are removed first, then rejected ones,
    /// then the oldest others.
    pub max_size: u64,
    /// Bytes of rejected deliveries; captures have a budget of the same size.
    pub max_refused: u64,
}

/// A delivery that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The result of its claim.
    pub appended: Appended,
    /// Its position in the log.
    pub seq: i64,
    /// The time that it took, as its row says.
    pub took: Duration,
}

/// The rows after a cursor, oldest first.
#[derive(Clone, Debug)]
pub struct Tail {
    /// The rows that match.
    pub rows: Vec<DeliveryRow>,
    /// The next cursor: every row up to this position was checked.
    pub through: i64,
}

/// The number of rows that a retention run removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Deliveries.
    pub deliveries: u64,
    /// Event ids.
    pub event_ids: u64,
    /// Messages, dead letters and published events.
    pub messages: u64,
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
}

/// The store. Cheap to clone; all clones share one store.
#[derive(Clone)]
pub enum Store {
    /// One SQLite file.
    Sqlite(Sqlite),
}

impl Store {
    /// Opens the store, creates or migrates its file, and starts its threads.
    ///
    /// # Errors
    /// `NewerSchema` for a file of a newer program, `Open` for one that cannot be used.
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        Sqlite::open(options).map(Self::Sqlite)
    }

    /// Builds the search index in the background until the store is closed. Without the index, search reads the log.
    ///
    /// # Errors
    /// `Unavailable` if no thread can be started.
    pub fn start_indexing(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.start_indexing(),
        }
    }

    /// Appends a delivery; returns once it is durable. Of equal claims at the same moment, exactly one is `New`.
    ///
    /// # Errors
    /// `Full` at once when the queue is full; `Unavailable` when the delivery could not be written. It is then not
    /// stored.
    pub async fn append(&self, entry: Entry) -> Result<Written, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.append(entry).await,
        }
    }

    /// Rows that match, newest first, before the position `before`; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(
        &self,
        filter: &DeliveryFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.list(filter.clone(), before, limit).await,
        }
    }

    /// Rows that match after the position `after`, oldest first; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn since(&self, filter: &DeliveryFilter, after: i64, limit: usize) -> Result<Tail, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.since(filter.clone(), after, limit).await,
        }
    }

    /// The deliveries from `source` that carried the event `event_id`, newest first; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn of_event(
        &self,
        source: &str,
        event_id: &str,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let (source, event_id) = (Some(source.to_owned()), Some(event_id.to_owned()));
        self.list(&DeliveryFilter { source, event_id, ..DeliveryFilter::default() }, None, limit).await
    }

    /// The response times of the newest deliveries, at most `last` of them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn answered_lately(&self, last: usize) -> Result<Vec<Answered>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| query::answered_lately(from, last)).await,
        }
    }

    /// Records that the client of the delivery at position `seq` disconnected before our response.
    /// `after` is the time since the request's head.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn hung_up(&self, seq: i64, after: Duration) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| query::hung_up(to, seq, after)).await,
        }
    }

    /// Everything stored about a delivery.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<StoredDelivery>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.delivery(id).await,
        }
    }

    /// The position of the last commit; callers can wait for it to change.
    #[must_use]
    pub fn newest(&self) -> watch::Receiver<i64> {
        match self {
            Self::Sqlite(sqlite) => sqlite.newest(),
        }
    }

    /// The highest position ever removed. A cursor below it may have a gap.
    #[must_use]
    pub fn pruned_through(&self) -> i64 {
        match self {
            Self::Sqlite(sqlite) => sqlite.pruned_through(),
        }
    }

    /// Runs retention until nothing is left to remove.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn prune(&self) -> Result<Pruned, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.prune().await,
        }
    }

    /// Checks that a delivery could be written now, with a small write through the writer.
    ///
    /// # Errors
    /// As for `append`.
    pub async fn ready(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.ready().await,
        }
    }

    /// The current size of the store.
    #[must_use]
    pub fn size(&self) -> StoreSize {
        match self {
            Self::Sqlite(sqlite) => sqlite.size(),
        }
    }

    /// The number of deliveries that wait for the writer.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        match self {
            Self::Sqlite(sqlite) => sqlite.queue_depth(),
        }
    }

    /// Writes everything that waits, then closes the file. Later calls fail with `Unavailable`.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
        }
    }
}

/// Rows of age `keep` expire before this instant, in microseconds UTC.
pub(super) fn cutoff(now: Timestamp, keep: Duration) -> i64 {
    now.minus(keep).as_micros()
}

#[cfg(test)]
mod tests;
