//! The upkeep of the file: see `Upkeep`.

use async_trait::async_trait;

use crate::store::sqlite::Sqlite;
use crate::store::{Pruned, StoreError, StoreSize, Upkeep};

#[async_trait]
impl Upkeep for Sqlite {
    async fn prune(&self) -> Result<Pruned, StoreError> {
        self.shared.release_reserve();
        self.writer.prune().await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.writer.ready().await
    }

    async fn rest(&self) -> Result<(), StoreError> {
        self.writer.work(false, |connection| connection.execute_batch("PRAGMA shrink_memory")).await
    }

    fn size(&self) -> StoreSize {
        let (search, search_segments) = self.search.size();
        StoreSize { search, search_segments, ..self.shared.size() }
    }

    fn queue_depth(&self) -> usize {
        self.shared.queued.entries()
    }

    async fn close(&self) {
        if let Some(indexer) = self.indexer.get() {
            indexer.stop();
        }
        self.writer.close().await;
        self.readers.close();
    }
}
