//! What is learnt, in PostgreSQL: silence.

use crate::domain::{Device, Entity, Now, OutgoingEvent, SilenceAfter, Timestamp};
use crate::store::postgres::Postgres;
use crate::store::*;
use crate::store::{
    DriftField, DriftType, EntityPage, EntityQuery, Learnt, LensState, LoggedDelivery, NewMessage, Outage,
    StoreError,
};
use async_trait::async_trait;
use std::collections::{HashMap, HashSet};

#[async_trait]
impl Silences for Postgres {
    async fn due_silences(&self, now: Timestamp, limit: usize) -> Result<Vec<Entity>, StoreError> {
        unimplemented!()
    }

    async fn postpone_silence(&self, entity: Entity, due: Timestamp) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn tell_silence(
        &self,
        entity: Entity,
        (event, messages): (OutgoingEvent, Vec<NewMessage>),
        now: Now,
    ) -> Result<bool, StoreError> {
        unimplemented!()
    }

    async fn reckoned_otherwise(
        &self,
        source: String,
        rule: SilenceAfter,
        after: String,
        limit: usize,
    ) -> Result<Vec<Entity>, StoreError> {
        unimplemented!()
    }

    async fn reckon_silences(
        &self,
        entities: Vec<Entity>,
        rule: SilenceAfter,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn heard_until(&self, now: Timestamp, outage: Option<Outage>) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn outages(&self) -> Result<Vec<Outage>, StoreError> {
        unimplemented!()
    }
}
