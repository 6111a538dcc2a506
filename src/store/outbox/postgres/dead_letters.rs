//! The outbox in PostgreSQL: dead letters.

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
impl DeadLetters for Postgres {
    async fn dead_letters(
        &self,
        filter: DeadLetterFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        unimplemented!()
    }

    async fn untold_dead_letters(
        &self,
        own_events: &'static [&'static str],
    ) -> Result<Vec<Told>, StoreError> {
        unimplemented!()
    }

    async fn tell_dead_letters(
        &self,
        told: Told,
        notice: Option<(OutgoingEvent, Vec<NewMessage>)>,
        now: Now,
    ) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn replay_dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
        now: Now,
    ) -> Result<Vec<(MessageId, String)>, StoreError> {
        unimplemented!()
    }

    async fn stranded_dead_letters(
        &self,
        filter: DeadLetterFilter,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        unimplemented!()
    }

    async fn dead_letter_groups(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<LetterGroup>, StoreError> {
        unimplemented!()
    }

    async fn discard_dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<usize, StoreError> {
        unimplemented!()
    }

    async fn oldest_dead_letter(&self) -> Result<Option<Timestamp>, StoreError> {
        unimplemented!()
    }
}
