//! Replay runs in PostgreSQL.

use crate::domain::{DeliveryId, Replay, ReplayId, ReplayRun, RunState, RunStep, Timestamp};
use crate::store::StoreError;
use crate::store::postgres::Postgres;
use crate::store::*;
use async_trait::async_trait;

#[async_trait]
impl ReplayRuns for Postgres {
    async fn add_run(&self, run: ReplayRun, plan: &[DeliveryId]) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn forget_plans(&self) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn next_of_run(
        &self,
        run: ReplayId,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Vec<(u32, DeliveryId)>, StoreError> {
        unimplemented!()
    }

    async fn settle_run(
        &self,
        place: (ReplayId, u32),
        step: RunStep,
        replay: Option<Replay>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn turn_run(
        &self,
        run: ReplayId,
        from: RunState,
        to: RunState,
        why: Option<String>,
    ) -> Result<bool, StoreError> {
        unimplemented!()
    }

    async fn runs(&self, before: Option<ReplayId>, limit: usize) -> Result<Vec<ReplayRun>, StoreError> {
        unimplemented!()
    }

    async fn run(&self, id: ReplayId) -> Result<Option<ReplayRun>, StoreError> {
        unimplemented!()
    }

    async fn running_runs(&self) -> Result<Vec<ReplayRun>, StoreError> {
        unimplemented!()
    }
}
