//! What is learnt, in PostgreSQL: learn.

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
impl Learning for Postgres {
    async fn lens_state(&self) -> Result<LensState, StoreError> {
        unimplemented!()
    }

    async fn unlearnt(
        &self,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<LoggedDelivery>, i64), StoreError> {
        unimplemented!()
    }

    async fn learn(&self, learnt: Learnt) -> Result<bool, StoreError> {
        unimplemented!()
    }
}
