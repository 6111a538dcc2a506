//! The store in one SQLite file: WAL, synchronous = FULL, one writer thread with group commit, readers of their own.

mod codec;
mod insert;
mod migrate;
mod query;
mod reader;
mod retention;
mod shared;
mod writer;

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::watch;

use self::insert::Prepared;
use self::reader::Readers;
use self::shared::Shared;
use self::writer::Writer;
use super::{Pruned, StoreError, StoreOptions, StoreSize, Tail, Written};
use crate::domain::{DeliveryFilter, DeliveryId, DeliveryRow, Entry, StoredDelivery};

/// A store in one SQLite file; clones share it.
#[derive(Clone)]
pub struct Sqlite {
    shared: Arc<Shared>,
    writer: Arc<Writer>,
    readers: Arc<Readers>,
}

impl Sqlite {
    pub(super) fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let path = options.path.clone();
        let text = path.display().to_string();
        let failed = |cause: String| StoreError::Open { path: text.clone(), cause };
        shared::make_private(&path).map_err(|fault| failed(fault.to_string()))?;
        let mut connection = shared::open_writer(&path).map_err(|fault| failed(fault.to_string()))?;
        migrate::migrate(&mut connection, &text)?;
        let shared =
            Arc::new(Shared::read(&options, &connection).map_err(|fault| failed(fault.to_string()))?);
        let readers = Readers::start(&path).map_err(|fault| failed(fault.to_string()))?;
        let writer = Writer::start(connection, options, Arc::clone(&shared))
            .map_err(|fault| failed(fault.to_string()))?;
        Ok(Self { shared, writer: Arc::new(writer), readers: Arc::new(readers) })
    }

    pub(super) async fn append(&self, entry: Entry) -> Result<Written, StoreError> {
        let prepared = Prepared::encode(entry)?;
        self.writer.append(prepared).await
    }

    pub(super) async fn list(
        &self,
        filter: DeliveryFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        self.read(move |connection| query::list(connection, &filter, before, limit)).await
    }

    pub(super) async fn since(
        &self,
        filter: DeliveryFilter,
        after: i64,
        limit: usize,
    ) -> Result<Tail, StoreError> {
        let newest = *self.newest().borrow();
        let rows = self.read(move |connection| query::since(connection, &filter, after, limit)).await?;
        let last = rows.last().map_or(after, |row| row.seq);
        // A full page may have more behind it; otherwise all that was committed before the query was looked at.
        let through = if rows.len() >= limit { last } else { last.max(newest) };
        Ok(Tail { rows, through: through.max(after) })
    }

    pub(super) async fn delivery(&self, id: DeliveryId) -> Result<Option<StoredDelivery>, StoreError> {
        self.read(move |connection| query::delivery(connection, id)).await
    }

    pub(super) fn newest(&self) -> watch::Receiver<i64> {
        self.shared.newest.subscribe()
    }

    pub(super) fn pruned_through(&self) -> i64 {
        self.shared.pruned_through()
    }

    pub(super) async fn prune(&self) -> Result<Pruned, StoreError> {
        self.shared.release_reserve();
        self.writer.prune().await
    }

    pub(super) async fn ready(&self) -> Result<(), StoreError> {
        self.writer.ready().await
    }

    pub(super) fn size(&self) -> StoreSize {
        self.shared.size()
    }

    pub(super) async fn close(&self) {
        self.writer.close().await;
        self.readers.close();
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(job).await
    }
}
