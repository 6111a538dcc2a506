//! Replays in PostgreSQL.

use crate::domain::{DeliveryId, Replay, ReplayId, ReplaysAbout, Timestamp};
use crate::store::StoreError;
use crate::store::postgres::Postgres;
use crate::store::*;
use async_trait::async_trait;

#[async_trait]
impl Replays for Postgres {
    async fn add_replay(&self, replay: Replay, now: Timestamp) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn replays(
        &self,
        run: Option<ReplayId>,
        before: Option<ReplayId>,
        limit: usize,
    ) -> Result<Vec<Replay>, StoreError> {
        unimplemented!()
    }

    async fn replay(&self, id: ReplayId) -> Result<Option<Replay>, StoreError> {
        unimplemented!()
    }

    async fn replays_about(&self, delivery: DeliveryId) -> Result<ReplaysAbout, StoreError> {
        unimplemented!()
    }
}
