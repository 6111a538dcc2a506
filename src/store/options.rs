//! How to open a store.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::Clock;
use crate::telemetry::{StoreMetrics, Workers};

/// Where a store is, and so which engine it has.
#[derive(Clone, Debug)]
pub enum Place {
    /// A SQLite file; its folder exists.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresPlace>),
}

/// A PostgreSQL database, and how to connect to it.
#[derive(Clone, Debug)]
pub struct PostgresPlace {
    /// Hosts, user, password, database.
    pub config: tokio_postgres::Config,
    /// Its URL without the password.
    pub shown: String,
    /// The name of this node: the same after a restart, and another one than every other node's.
    pub node: String,
}

/// How to open a store.
#[derive(Clone)]
pub struct StoreOptions {
    /// Where the store is.
    pub place: Place,
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
    /// The figures of the store.
    pub metrics: StoreMetrics,
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
