//! What every store promises. A second kind of store is a second variant, and passes the same tests.

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

/// How long a delivery took to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its source.
    pub source: String,
    /// Microseconds until the answer.
    pub duration_us: u64,
    /// Why it was refused.
    pub reason: Option<Reason>,
}

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// The database file; its folder exists.
    pub path: PathBuf,
    /// The time, for retention and for the age of event ids.
    pub clock: Arc<dyn Clock>,
    /// What is kept how long.
    pub retention: Retention,
    /// How many deliveries may wait for the writer.
    pub queue: usize,
    /// How many bytes of deliveries may wait for the writer.
    pub queue_bytes: usize,
    /// The watch over the store's threads.
    pub workers: Workers,
}

/// What is kept how long. Ids of events have a retention of their own and outlive their deliveries.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Age of accepted and duplicate deliveries.
    pub keep_deliveries: Duration,
    /// Age of rejected deliveries.
    pub keep_rejected: Duration,
    /// Number of captures.
    pub keep_captured: u64,
    /// Age of event ids.
    pub keep_event_ids: Duration,
    /// Age of messages that are over, with their attempts.
    pub keep_messages: Duration,
    /// Age of dead letters.
    pub keep_dead_letters: Duration,
    /// Bytes of the whole file in use; above it captured, then rejected, then the oldest others go.
    pub max_size: u64,
    /// Bytes of rejected deliveries; captures may take as many again.
    pub max_refused: u64,
}

/// A delivery that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What became of its claim.
    pub appended: Appended,
    /// Its position in the log.
    pub seq: i64,
}

/// The rows after a cursor, oldest first.
#[derive(Clone, Debug)]
pub struct Tail {
    /// The rows that match.
    pub rows: Vec<DeliveryRow>,
    /// Everything up to here was looked at: the next cursor.
    pub through: i64,
}

/// What a retention run removed.
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
    /// Deliveries waiting for the writer.
    pub queue_depth: u64,
}

/// The store. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub enum Store {
    /// One SQLite file.
    Sqlite(Sqlite),
}

impl Store {
    /// Opens the store, making or migrating its file, and starts its threads.
    ///
    /// # Errors
    /// `NewerSchema` for a file of a newer program, `Open` for one that cannot be used.
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        Sqlite::open(options).map(Self::Sqlite)
    }

    /// Makes the index that search uses, in the background, until the store is closed. Without it search reads the log.
    ///
    /// # Errors
    /// `Unavailable` where no thread can be started.
    pub fn start_indexing(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.start_indexing(),
        }
    }

    /// Appends a delivery; returns after it is durable. Equal claims at the same moment: exactly one is `New`.
    ///
    /// # Errors
    /// `Full` at once when the queue is full; `Unavailable` when it could not be written: it then is not there.
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

    /// The deliveries that carried the event `event_id` to `source`, the newest first; at most `limit`.
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

    /// How long the newest deliveries took to be answered, at most `last` of them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn answered_lately(&self, last: usize) -> Result<Vec<Answered>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| query::answered_lately(from, last)).await,
        }
    }

    /// Notes that the client of the delivery at the position `seq` closed the connection before our response, `after` its head.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn hung_up(&self, seq: i64, after: Duration) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| query::hung_up(to, seq, after)).await,
        }
    }

    /// Everything that is kept of a delivery.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<StoredDelivery>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.delivery(id).await,
        }
    }

    /// The position of the last commit, to wait on.
    #[must_use]
    pub fn newest(&self) -> watch::Receiver<i64> {
        match self {
            Self::Sqlite(sqlite) => sqlite.newest(),
        }
    }

    /// The highest position that was ever removed: a cursor below it may have a gap.
    #[must_use]
    pub fn pruned_through(&self) -> i64 {
        match self {
            Self::Sqlite(sqlite) => sqlite.pruned_through(),
        }
    }

    /// Runs the retention to its end.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn prune(&self) -> Result<Pruned, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.prune().await,
        }
    }

    /// Whether a delivery could be written now: writes a little through the writer.
    ///
    /// # Errors
    /// As `append`.
    pub async fn ready(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.ready().await,
        }
    }

    /// How large the store is now.
    #[must_use]
    pub fn size(&self) -> StoreSize {
        match self {
            Self::Sqlite(sqlite) => sqlite.size(),
        }
    }

    /// How many deliveries wait for the writer.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        match self {
            Self::Sqlite(sqlite) => sqlite.queue_depth(),
        }
    }

    /// Writes what waits and closes the file. Later calls fail with `Unavailable`.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
        }
    }
}

/// The instant from which something of age `keep` is too old.
pub(super) fn cutoff(now: Timestamp, keep: Duration) -> i64 {
    now.minus(keep).as_micros()
}

#[cfg(test)]
mod tests;
