//! The log as PostgreSQL keeps it: see `Log`.

use crate::domain::{Appended, DeliveryId, Entry, Reason, StoredDelivery};
use crate::store::postgres::Postgres;
use crate::store::*;
use async_trait::async_trait;
use std::time::Duration;
use tokio::sync::watch;

#[async_trait]
impl Log for Postgres {
    async fn append(&self, entry: Entry) -> Result<Written, StoreError> {
        unimplemented!()
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<StoredDelivery>, StoreError> {
        unimplemented!()
    }

    async fn answered_lately(&self, last: usize) -> Result<Vec<Answered>, StoreError> {
        unimplemented!()
    }

    async fn hung_up(&self, seq: i64, after: Duration) -> Result<(), StoreError> {
        unimplemented!()
    }

    fn newest(&self) -> watch::Receiver<i64> {
        unimplemented!()
    }

    fn pruned_through(&self) -> i64 {
        unimplemented!()
    }
}
