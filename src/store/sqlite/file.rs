//! A store in one SQLite file: access to its writer and its readers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;

use super::insert::Prepared;
use super::reader::Readers;
use super::search::{self, Indexer, SearchFile};
use super::shared::{self, Shared};
use super::writer::Writer;
use super::{migrate, query};
use crate::domain::{Clock, DeliveryFilter, DeliveryId, DeliveryRow, Entry, MessageRow, StoredDelivery};
use crate::store::{Matches, Pruned, StoreError, StoreOptions, StoreSize, Tail, Written};
use crate::telemetry::Workers;

/// A store in one SQLite file; clones share it.
#[derive(Clone)]
pub struct Sqlite {
    shared: Arc<Shared>,
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    search: Arc<SearchFile>,
    indexer: Arc<OnceLock<Indexer>>,
    clock: Arc<dyn Clock>,
    workers: Workers,
}

impl Sqlite {
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let path = options.path.clone();
        let text = path.display().to_string();
        let failed = |cause: String| StoreError::Open { path: text.clone(), cause };
        let file = shared::make_private(&path).map_err(|fault| failed(fault.to_string()))?;
        let mut connection = shared::open_writer(&path).map_err(|fault| failed(fault.to_string()))?;
        migrate::migrate(&mut connection, &text)?;
        let shared =
            Arc::new(Shared::read(&options, file, &connection).map_err(|fault| failed(fault.to_string()))?);
        let readers = Readers::start(&shared, &options.workers).map_err(|fault| failed(fault.to_string()))?;
        let (clock, workers) = (Arc::clone(&options.clock), options.workers.clone());
        let writer = Writer::start(connection, options, Arc::clone(&shared))
            .map_err(|fault| failed(fault.to_string()))?;
        Ok(Self {
            shared,
            writer: Arc::new(writer),
            readers: Arc::new(readers),
            search: Arc::new(SearchFile::beside(&path)),
            indexer: Arc::default(),
            clock,
            workers,
        })
    }

    pub fn start_indexing(&self) -> Result<(), StoreError> {
        let (shared, file) = (Arc::clone(&self.shared), Arc::clone(&self.search));
        let started = Indexer::start(self.shared.path(), shared, file, &self.workers);
        let indexer =
            started.map_err(|fault| StoreError::Unavailable(format!("no thread for search: {fault}")))?;
        // A second indexer would be dropped here, which ends it.
        let _ = self.indexer.set(indexer);
        Ok(())
    }

    pub async fn append(&self, entry: Entry) -> Result<Written, StoreError> {
        let prepared = Prepared::encode(entry)?;
        self.writer.append(prepared).await
    }

    pub async fn list(
        &self,
        filter: DeliveryFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let (search, query, now) = (Arc::clone(&self.search), filter.query(), self.clock.wall());
        self.read(move |connection| search::list(connection, &search, &query, now, before, limit)).await
    }

    pub async fn matches(
        &self,
        filter: DeliveryFilter,
        most: usize,
        budget: Duration,
    ) -> Result<Matches, StoreError> {
        let (search, query, now) = (Arc::clone(&self.search), filter.query(), self.clock.wall());
        self.read(move |connection| search::matches(connection, &search, &query, now, most, budget)).await
    }

    pub async fn since(&self, filter: DeliveryFilter, after: i64, limit: usize) -> Result<Tail, StoreError> {
        let newest = *self.newest().borrow();
        let (query, now) = (filter.query(), self.clock.wall());
        let rows = self.read(move |connection| query::since(connection, &query, now, after, limit)).await?;
        let last = rows.last().map_or(after, |row| row.seq);
        // After a full page there may be more. Otherwise the page covers everything committed before the query.
        let through = if rows.len() >= limit { last } else { last.max(newest) };
        Ok(Tail { rows, through: through.max(after) })
    }

    /// A message with its due time converted to the wall clock; the outbox uses another clock internally.
    pub fn by_the_wall_clock(&self, row: MessageRow) -> MessageRow {
        MessageRow { next_attempt_at: row.next_attempt_at.map(|due| self.clock.shown(due)), ..row }
    }

    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<StoredDelivery>, StoreError> {
        self.read(move |connection| query::delivery(connection, id)).await
    }

    pub fn newest(&self) -> watch::Receiver<i64> {
        self.shared.newest.subscribe()
    }

    pub fn named(&self) -> &watch::Sender<i64> {
        &self.shared.named
    }

    pub fn pruned_through(&self) -> i64 {
        self.shared.pruned_through()
    }

    pub async fn prune(&self) -> Result<Pruned, StoreError> {
        self.shared.release_reserve();
        self.writer.prune().await
    }

    pub async fn ready(&self) -> Result<(), StoreError> {
        self.writer.ready().await
    }

    pub fn size(&self) -> StoreSize {
        let (search, search_segments) = self.search.size();
        StoreSize { search, search_segments, ..self.shared.size() }
    }

    pub fn queue_depth(&self) -> usize {
        self.shared.queued.load(Ordering::Relaxed)
    }

    pub async fn close(&self) {
        if let Some(indexer) = self.indexer.get() {
            indexer.stop();
        }
        self.writer.close().await;
        self.readers.close();
    }

    /// Runs a query on a reader.
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(job).await
    }

    /// Runs `work` in the writer's next transaction; see `Writer::work`.
    pub async fn write<T: Send + 'static>(
        &self,
        takes_room: bool,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.work(takes_room, work).await
    }
}
