//! The outbox in PostgreSQL: figures.

use crate::domain::{DeadLetter, MessageFilter, MessageId, MessageRow, Now, OutgoingEvent, Timestamp};
use crate::store::postgres::Postgres;
use crate::store::*;
use crate::store::{
    DeadLetterFilter, Due, FanOut, FannedDelivery, HealthCheck, LaneClaim, LetterGroup, NewMessage,
    ParkedRecord, Published, PublishedType, SenderFigures, Settlement, StoreError, StoredMessage,
    SubscriptionRecord, Told,
};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl Health for Postgres {
    async fn sender_figures(&self) -> Result<Vec<SenderFigures>, StoreError> {
        unimplemented!()
    }

    async fn add_health(&self, check: HealthCheck) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn health(&self, subscription: String, limit: usize) -> Result<Vec<HealthCheck>, StoreError> {
        unimplemented!()
    }
}
