//! The upkeep of the database: see `Upkeep`.

use async_trait::async_trait;

use crate::store::postgres::Postgres;
use crate::store::{Pruned, StoreError, StoreSize, Upkeep};

#[async_trait]
impl Upkeep for Postgres {
    async fn prune(&self) -> Result<Pruned, StoreError> {
        self.keeper.prune().await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        if self.appends.are_slow() {
            return Err(StoreError::Unavailable("deliveries wait for the database".to_owned()));
        }
        self.keeper.ready().await
    }

    async fn rest(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Deliveries by their weight, as of a few seconds ago. The log of the server and its indexes are not counted.
    fn size(&self) -> StoreSize {
        StoreSize {
            used: self.keeper.used(),
            connections: Some(self.connections()),
            queue_depth: u64::try_from(self.appends.depth()).unwrap_or(u64::MAX),
            ..StoreSize::default()
        }
    }

    fn queue_depth(&self) -> usize {
        self.appends.depth()
    }

    async fn close(&self) {
        self.appends.close().await;
        self.leave().await;
        self.shut();
    }
}
