//! The outbox in PostgreSQL: subscriptions.

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
impl Subscriptions for Postgres {
    async fn subscriptions(&self) -> Result<Vec<SubscriptionRecord>, StoreError> {
        unimplemented!()
    }

    async fn put_subscription(&self, record: SubscriptionRecord) -> Result<SubscriptionRecord, StoreError> {
        unimplemented!()
    }

    async fn disable_subscription(
        &self,
        id: String,
        reason: &'static str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        unimplemented!()
    }

    async fn park_subscription(
        &self,
        id: String,
        now: Timestamp,
    ) -> Result<Option<ParkedRecord>, StoreError> {
        unimplemented!()
    }

    async fn waiting_messages(&self, id: String) -> Result<u64, StoreError> {
        unimplemented!()
    }

    async fn delete_subscription(&self, id: String, now: Timestamp) -> Result<Option<u64>, StoreError> {
        unimplemented!()
    }
}
