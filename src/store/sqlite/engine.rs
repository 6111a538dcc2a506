//! A store in one SQLite file: access to its writer and its readers.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;

use super::migrate;
use super::reader::Readers;
use super::shared::{self, Shared};
use super::unfinished::is_unfinished;
use super::writer::Writer;
use crate::domain::Clock;
use crate::store::log::sqlite::event_ids;
use crate::store::outbox::sqlite::Claims;
use crate::store::search::sqlite::{Indexer, SearchFolder};
use crate::store::{StoreError, StoreOptions};
use crate::telemetry::Workers;

/// A store in one SQLite file.
pub struct Sqlite {
    pub shared: Arc<Shared>,
    pub writer: Writer,
    pub readers: Readers,
    pub search: Arc<SearchFolder>,
    pub indexer: OnceLock<Indexer>,
    pub clock: Arc<dyn Clock>,
    pub workers: Workers,
    pub claims: Arc<Claims>,
}

impl Sqlite {
    pub fn open(options: StoreOptions, path: PathBuf) -> Result<Self, StoreError> {
        let text = path.display().to_string();
        let failed = |cause: String| StoreError::Open { path: text.clone(), cause };
        let file = shared::make_private(&path).map_err(|fault| failed(fault.to_string()))?;
        let mut connection = shared::open_writer(&path).map_err(|fault| failed(fault.to_string()))?;
        migrate::migrate(&mut connection, &text)?;
        if is_unfinished(&connection)? {
            return Err(StoreError::Unfinished { path: text });
        }
        event_ids::to_runs(&mut connection, event_ids::RUN_ROWS)?;
        let shared =
            Arc::new(Shared::read(&path, file, &connection).map_err(|fault| failed(fault.to_string()))?);
        let readers = Readers::start(&shared, &options.workers).map_err(|fault| failed(fault.to_string()))?;
        let (clock, workers) = (Arc::clone(&options.clock), options.workers.clone());
        let writer = Writer::start(connection, options, Arc::clone(&shared))
            .map_err(|fault| failed(fault.to_string()))?;
        Ok(Self {
            shared,
            writer,
            readers,
            search: Arc::new(SearchFolder::beside(&path)),
            indexer: OnceLock::new(),
            clock,
            workers,
            claims: Arc::default(),
        })
    }

    /// Runs a query on a reader.
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(job).await
    }

    /// Adds data in the writer's next transaction; a full store refuses. See `Writer::work`.
    pub async fn add<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.work(true, work).await
    }

    /// Changes or removes data in the writer's next transaction, also in a full store. See `Writer::work`.
    pub async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.work(false, work).await
    }
}
