//! Counts of each minute, in PostgreSQL.

use crate::domain::{Reason, Verdict};
use crate::store::StoreError;
use crate::store::postgres::Postgres;
use crate::store::*;
use crate::telemetry::Counted;
use async_trait::async_trait;

#[async_trait]
impl Minutes for Postgres {
    async fn add_minutes(&self, counted: Vec<Minute>) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn minutes(&self, first: i64, end: i64) -> Result<Vec<Minute>, StoreError> {
        unimplemented!()
    }

    async fn slot_counts(&self, first: i64, end: i64, step: i64) -> Result<Vec<SlotCount>, StoreError> {
        unimplemented!()
    }
}
