//! The outbox in PostgreSQL: claim.

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
impl Sending for Postgres {
    async fn recover_messages(&self, now: Now, spread: Duration) -> Result<usize, StoreError> {
        unimplemented!()
    }

    async fn keep_wall_ahead(&self, micros: i64) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn claim_due(&self, claim: LaneClaim) -> Result<Due, StoreError> {
        unimplemented!()
    }

    async fn rate_marks(
        &self,
        target: String,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, u32)>, StoreError> {
        unimplemented!()
    }

    async fn settle(&self, settlements: std::sync::Arc<Vec<Settlement>>) -> Result<(), StoreError> {
        unimplemented!()
    }
}
