//! What is learnt, in PostgreSQL: entity list.

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
impl Devices for Postgres {
    async fn entities(&self, query: EntityQuery, limit: usize) -> Result<EntityPage, StoreError> {
        unimplemented!()
    }

    async fn device(&self, source: String, entity: String) -> Result<Option<Device>, StoreError> {
        unimplemented!()
    }

    async fn name_device(
        &self,
        source: String,
        entity: String,
        name: Option<String>,
    ) -> Result<bool, StoreError> {
        unimplemented!()
    }

    async fn entity_counts(&self) -> Result<Vec<(String, u64, u64)>, StoreError> {
        unimplemented!()
    }

    async fn entity_names(
        &self,
        entities: HashSet<(String, String)>,
    ) -> Result<HashMap<(String, String), String>, StoreError> {
        unimplemented!()
    }

    async fn entity_log(
        &self,
        (source, entity): (String, String),
        before: Option<i64>,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<LoggedDelivery>, StoreError> {
        unimplemented!()
    }
}
