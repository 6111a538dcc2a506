//! The outbox in PostgreSQL: messages.

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
impl Messages for Postgres {
    async fn messages(
        &self,
        filter: MessageFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        unimplemented!()
    }

    async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
        unimplemented!()
    }

    async fn made_by(&self, id: MessageId) -> Result<Option<(String, Vec<String>)>, StoreError> {
        unimplemented!()
    }
}
