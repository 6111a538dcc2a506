//! A database and what this node knows of it, shared by everything of the store that runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use deadpool::managed::{Pool, PoolError};
use parking_lot::Mutex;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;

use super::connection::Connection;
use super::manager::{Link, Manager};
use super::settled::Settled;
use super::tls;
use super::transaction::Transaction;
use crate::domain::Clock;
use crate::store::{Connections, PostgresPlace, Retention, StoreError, StoreOptions};

/// Connections of one node.
const CONNECTIONS: usize = 8;
/// How long a statement waits for a connection. All of them may be waiting for a standby.
const PATIENCE: Duration = Duration::from_secs(3);
/// The threads that drive the connections.
const THREADS: usize = 2;

/// A database and what this node knows of it.
pub struct Database {
    pool: Pool<Manager>,
    pub clock: Arc<dyn Clock>,
    pub retention: Retention,
    /// The name of this node.
    pub node: String,
    /// Drawn at each start, so that a process can be told from another one with the same name.
    pub(super) start: i64,
    /// Why nothing may be appended now: the store is full and nothing can be removed.
    pub blocked: Mutex<Option<String>>,
    /// Positions up to here are final, as far as this node knows.
    pub newest: watch::Sender<i64>,
    /// How often the log ended before what was seen of it.
    pub turns: AtomicU64,
    /// Since when deliveries may be missing below the horizon.
    pub settled: Settled,
    /// The causes of deliveries up to here are named, as far as they are named at once.
    pub named: watch::Sender<i64>,
    /// The highest position ever removed, as far as this node knows.
    pub pruned_through: AtomicI64,
    /// Drives the connections, so that they depend on no caller. `None` once closed.
    runtime: Mutex<Option<Runtime>>,
    handle: Handle,
}

impl Database {
    /// Connects, checks the server, and creates or migrates the schema.
    pub async fn open(options: &StoreOptions, place: &PostgresPlace) -> Result<Self, StoreError> {
        let failed = |cause: String| StoreError::Open { path: place.shown.clone(), cause };
        // Before there is a runtime, which must not end in the caller's.
        let refused = |cause| StoreError::Refused { shown: place.shown.clone(), cause };
        let tls = tls::connector(place.tls, &place.roots).map_err(refused)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("store-postgres")
            .enable_all()
            .build()
            .map_err(|fault| failed(fault.to_string()))?;
        let handle = runtime.handle().clone();
        let manager = Manager::new(&place.config, tls, handle.clone(), options.metrics.clone());
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .wait_timeout(Some(PATIENCE))
            // Each host has a limit of its own.
            .create_timeout(None)
            .recycle_timeout(Some(PATIENCE))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|fault| failed(fault.to_string()))?;
        let store = Self {
            pool,
            clock: Arc::clone(&options.clock),
            retention: options.retention,
            node: place.node.clone(),
            start: rand::random(),
            blocked: Mutex::new(None),
            newest: watch::Sender::new(0),
            turns: AtomicU64::new(0),
            settled: Settled::default(),
            named: watch::Sender::new(0),
            pruned_through: AtomicI64::new(0),
            runtime: Mutex::new(Some(runtime)),
            handle,
        };
        store.prepare(place).await?;
        Ok(store)
    }

    /// A delivery at this position was seen, and the position is final.
    pub fn see(&self, seq: i64) {
        self.newest.send_if_modified(|newest| {
            let is_raised = seq > *newest;
            *newest = seq.max(*newest);
            is_raised
        });
    }

    /// The end of the log is here, below what was seen of a primary that is gone.
    pub fn go_back(&self, seq: i64) {
        // Before those who wait are woken.
        self.turns.fetch_add(1, Ordering::AcqRel);
        self.newest.send_replace(seq);
    }

    /// Whether a pooler has put another server behind a connection that is open; see `Manager::look_behind`.
    pub async fn look_behind(&self, connection: &Connection) -> bool {
        self.manager().look_behind(connection.link()).await
    }

    /// The timeline for which positions are right. It changes when a standby takes over.
    pub fn timeline(&self) -> u32 {
        self.manager().followed()
    }

    pub(super) fn manager(&self) -> &Manager {
        self.pool.manager()
    }

    /// The runtime of the store, for what runs in the background.
    pub const fn runtime(&self) -> &Handle {
        &self.handle
    }

    /// The connections of the pool.
    pub fn connections(&self) -> Connections {
        let (status, set_aside) = (self.pool.status(), self.pool.manager().set_aside());
        let in_use = status.size.saturating_sub(status.available).saturating_sub(set_aside);
        Connections { in_use, idle: status.available, set_aside }
    }

    /// A connection for single statements.
    ///
    /// # Errors
    /// `Unavailable` if there is no connection, or none is free in time.
    pub async fn connection(&self) -> Result<Connection, StoreError> {
        match self.pool.get().await {
            Ok(object) => Ok(Connection::new(object, self.handle.clone())),
            Err(PoolError::Backend(fault)) => Err(fault.into()),
            Err(PoolError::Timeout(_)) => {
                // They may all wait for a server that was replaced by another one.
                self.manager().survey().await;
                Err(StoreError::Unavailable("no connection to the database is free".to_owned()))
            }
            Err(other) => Err(StoreError::Unavailable(other.to_string())),
        }
    }

    /// A connection that is not of the pool, and what is notified on it.
    ///
    /// # Errors
    /// `Unavailable` if there is no connection.
    pub async fn listener(&self) -> Result<(Link, UnboundedReceiver<()>), StoreError> {
        let (bells, rung) = unbounded_channel();
        Ok((self.pool.manager().connect(Some(bells)).await?, rung))
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// As for `connection`.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        Transaction::begin(self.connection().await?, self.handle.clone()).await
    }

    /// Begins a transaction that reads rows in the order of an index, a page at a time, and sees one state of the database.
    ///
    /// # Errors
    /// As for `connection`.
    pub async fn begin_in_order(&self) -> Result<Transaction, StoreError> {
        Transaction::begin_in_order(self.connection().await?, self.handle.clone()).await
    }

    /// Begins a transaction that only reads, as long as it takes, and sees one state of the database.
    ///
    /// # Errors
    /// As for `connection`.
    pub async fn begin_reading(&self) -> Result<Transaction, StoreError> {
        Transaction::begin_reading(self.connection().await?, self.handle.clone()).await
    }

    /// Closes the connections; later calls fail.
    pub fn shut(&self) {
        self.pool.close();
        if let Some(runtime) = self.runtime.lock().take() {
            runtime.shutdown_background();
        }
    }
}

/// A runtime that is dropped waits for its threads, which is not allowed in a task.
impl Drop for Database {
    fn drop(&mut self) {
        self.shut();
    }
}
