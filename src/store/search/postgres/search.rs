//! Search as PostgreSQL does it: see `Search`.

use crate::domain::{DeliveryFilter, DeliveryRow, Timestamp, Verdict};
use crate::store::postgres::Postgres;
use crate::store::*;
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl Search for Postgres {
    fn start_indexing(&self) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn list(
        &self,
        filter: &DeliveryFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        unimplemented!()
    }

    async fn since(&self, filter: &DeliveryFilter, after: i64, limit: usize) -> Result<Tail, StoreError> {
        unimplemented!()
    }

    async fn total(&self, verdict: Option<Verdict>) -> Result<u64, StoreError> {
        unimplemented!()
    }

    async fn matches(
        &self,
        filter: &DeliveryFilter,
        most: usize,
        budget: Duration,
    ) -> Result<Matches, StoreError> {
        unimplemented!()
    }
}
