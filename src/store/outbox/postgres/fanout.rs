//! The outbox in PostgreSQL: fanout.

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
impl FanningOut for Postgres {
    async fn fanout_cursor(&self) -> Result<i64, StoreError> {
        unimplemented!()
    }

    async fn unfanned(
        &self,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<FannedDelivery>, i64), StoreError> {
        unimplemented!()
    }

    async fn fan_out(&self, fan_out: FanOut, now: Now) -> Result<Option<u32>, StoreError> {
        unimplemented!()
    }

    async fn publish(
        &self,
        event: OutgoingEvent,
        posted: [u8; 32],
        messages: Vec<NewMessage>,
        now: Now,
    ) -> Result<Published, StoreError> {
        unimplemented!()
    }

    async fn published_event(&self, event_id: String) -> Result<Option<OutgoingEvent>, StoreError> {
        unimplemented!()
    }

    async fn published_types(&self) -> Result<Vec<PublishedType>, StoreError> {
        unimplemented!()
    }

    async fn message_by_hand(
        &self,
        event: OutgoingEvent,
        message: NewMessage,
        now: Now,
    ) -> Result<MessageId, StoreError> {
        unimplemented!()
    }
}
