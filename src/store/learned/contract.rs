//! What every store promises about the lens.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;

use crate::domain::{Device, Entity, Now, OutgoingEvent, SilenceAfter, Timestamp};
use crate::store::{
    DriftField, DriftType, EntityPage, EntityQuery, LearnerState, Learnt, LogSection, LoggedDelivery,
    NewMessage, Outage, StoreError,
};

/// What the learner reads and writes.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Learning: Send + Sync {
    /// How far the learner has read the log.
    async fn learner_state(&self) -> Result<LearnerState, StoreError>;

    /// The section of the log after `after`: at most `limit` deliveries and about `bytes` of bodies.
    async fn learnable_after(&self, after: i64, limit: usize, bytes: usize)
    -> Result<LogSection, StoreError>;

    /// Stores what was learnt, in one transaction. Returns `false`, and stores nothing, if another caller moved the
    /// cursor, or counted deliveries of one of these event types: what this caller knows is out of date then, and it
    /// has to read again.
    async fn learn(&self, learnt: Learnt) -> Result<bool, StoreError>;
}

/// The fields of each event type.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Drift: Send + Sync {
    /// Every known event type, by source and name.
    async fn drift_types(&self) -> Result<Vec<DriftType>, StoreError>;

    /// The fields of an event type, by pointer.
    async fn drift_fields(&self, type_id: i64) -> Result<Vec<DriftField>, StoreError>;
}

/// The devices and users that deliveries are about.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Devices: Send + Sync {
    /// A page of at most `limit` entities.
    async fn entities(&self, query: EntityQuery, limit: usize) -> Result<EntityPage, StoreError>;

    /// The entity of an id, with what other sources say of the same thing.
    async fn device(&self, source: String, entity: String) -> Result<Option<Device>, StoreError>;

    /// Gives a device a name, at every source that speaks of it; `None` takes it away. `false` where none of that id is known.
    async fn name_device(
        &self,
        source: String,
        entity: String,
        name: Option<String>,
    ) -> Result<bool, StoreError>;

    /// How many entities of each source there are, and how many of them are silent.
    async fn entity_counts(&self) -> Result<Vec<(String, u64, u64)>, StoreError>;

    /// What devices are called, each by a source and its id there.
    async fn entity_names(
        &self,
        entities: HashSet<(String, String)>,
    ) -> Result<HashMap<(String, String), String>, StoreError>;

    /// Accepted deliveries about an entity before the position `before`, newest first.
    /// At most `limit` deliveries and about `bytes` of bodies.
    async fn entity_log(
        &self,
        (source, entity): (String, String),
        before: Option<i64>,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<LoggedDelivery>, StoreError>;
}

/// Which devices are silent.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Silences: Send + Sync {
    /// Entities whose silence check is due, the earliest first, at most `limit`. None unless the log is learnt up to `cursor`:
    /// a standby that took over may lack the last of what was learnt, and its devices would only seem silent.
    async fn due_silences(
        &self,
        now: Timestamp,
        cursor: i64,
        limit: usize,
    ) -> Result<Vec<Entity>, StoreError>;

    /// Moves an entity's silence check to another time.
    async fn postpone_silence(&self, entity: Entity, due: Timestamp) -> Result<(), StoreError>;

    /// Marks an entity as silent and publishes the event, in one transaction.
    /// Returns `false` if the entity reported in the meantime or its silence was already published.
    async fn publish_silence(
        &self,
        entity: Entity,
        (event, messages): (OutgoingEvent, Vec<NewMessage>),
        now: Now,
    ) -> Result<bool, StoreError>;

    /// Entities of `source` after `after` whose silence was computed with another rule, by id, at most `limit`.
    async fn entities_with_other_rule(
        &self,
        source: String,
        rule: SilenceAfter,
        after: String,
        limit: usize,
    ) -> Result<Vec<Entity>, StoreError>;

    /// Recomputes when these entities count as silent, except those that reported in the meantime or that another caller
    /// has recomputed. An entity that is already silent when a rule is introduced is marked silent without an event.
    async fn recompute_silences(
        &self,
        entities: Vec<Entity>,
        rule: SilenceAfter,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Records that the program listened until `now`, except during `outage`. Where another node listened, there was no
    /// outage; what is left of it is stored if it is longer than `SHORTEST_OUTAGE`.
    async fn record_listening(&self, now: Timestamp, outage: Option<Outage>) -> Result<(), StoreError>;

    /// The most recent outages, the earliest first.
    async fn outages(&self) -> Result<Vec<Outage>, StoreError>;
}
