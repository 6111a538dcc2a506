//! Why deliveries were rejected or were duplicates, in PostgreSQL.

use crate::domain::{Cause, DeliveryRow, Timestamp};
use crate::store::StoreError;
use crate::store::postgres::Postgres;
use crate::store::*;
use async_trait::async_trait;
use tokio::sync::watch;

#[async_trait]
impl Causes for Postgres {
    async fn name_causes(&self, found: Vec<(i64, Cause)>) -> Result<(), StoreError> {
        unimplemented!()
    }

    fn causes_are_named(&self, through: i64) {
        unimplemented!()
    }

    fn named_through(&self) -> watch::Receiver<i64> {
        unimplemented!()
    }

    async fn alike(&self, row: &DeliveryRow, code: &str) -> Result<Option<Alike>, StoreError> {
        unimplemented!()
    }
}
