//! What is learnt, in PostgreSQL: drift.

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
impl Drift for Postgres {
    async fn drift_types(&self) -> Result<Vec<DriftType>, StoreError> {
        unimplemented!()
    }

    async fn drift_fields(&self, type_id: i64) -> Result<Vec<DriftField>, StoreError> {
        unimplemented!()
    }
}
