//! Pins, notes and tags in PostgreSQL.

use crate::domain::{DeliveryId, Marks, MarksChange};
use crate::store::StoreError;
use crate::store::postgres::Postgres;
use crate::store::*;
use async_trait::async_trait;

#[async_trait]
impl Marking for Postgres {
    async fn mark(&self, id: DeliveryId, change: MarksChange, room: u64) -> Result<Marked, StoreError> {
        unimplemented!()
    }
}
