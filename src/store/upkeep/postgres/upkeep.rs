//! The upkeep of the database: see `Upkeep`.

use crate::domain::Timestamp;
use crate::store::postgres::Postgres;
use crate::store::*;
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl Upkeep for Postgres {
    async fn prune(&self) -> Result<Pruned, StoreError> {
        let (retention, now) = (self.retention, self.clock.now());
        let mut all = Pruned::default();
        loop {
            let n = self
                .change(|to| async move {
                    crate::store::outbox::postgres::prune_outbox(&to, &retention, now).await
                })
                .await?;
            if n == 0 {
                return Ok(all);
            }
            all.messages += n;
        }
    }

    async fn ready(&self) -> Result<(), StoreError> {
        unimplemented!()
    }

    fn size(&self) -> StoreSize {
        unimplemented!()
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
