//! What every store promises about the lens.

use std::collections::{HashMap, HashSet};

use crate::domain::{DeliveryFilter, Device, Entity, Now, OutgoingEvent, SilenceAfter, Timestamp, Verdict};
use crate::store::sqlite::lens;
use crate::store::{
    DriftField, DriftType, EntityPage, EntityQuery, FannedDelivery, Learnt, LensState, NewMessage, Outage,
    Store, StoreError,
};

/// Every method fails with `Unavailable` if the store cannot be read or written. Methods that write fail with `Full`
/// while the writer's queue is full.
impl Store {
    /// How far the learner has read the log.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn lens_state(&self) -> Result<LensState, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(lens::state).await,
        }
    }

    /// Deliveries after `after` that were accepted or failed schema validation, oldest first, and the cursor after
    /// them.
    /// At most `limit` deliveries and about `bytes` of bodies.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn unlearnt(
        &self,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<FannedDelivery>, i64), StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let newest = *sqlite.newest().borrow();
                let found = sqlite.read(move |from| lens::unlearnt(from, after, limit, bytes)).await?;
                // A short page reached the end: it covers everything committed before the query.
                let weight: usize = found.iter().map(|delivery| delivery.body.len()).sum();
                let last = found.last().map_or(after, |delivery| delivery.row.seq);
                let is_page_full = found.len() >= limit || weight >= bytes;
                Ok((found, if is_page_full { last } else { last.max(newest) }))
            }
        }
    }

    /// Stores what was learnt, in one transaction. Returns `false`, and stores nothing, if another caller moved the
    /// cursor.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn learn(&self, learnt: Learnt) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(true, move |to| lens::learn(to, &learnt)).await,
        }
    }

    /// Every known event type, by source and name.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn drift_types(&self) -> Result<Vec<DriftType>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(lens::types).await,
        }
    }

    /// The fields of an event type, by pointer.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn drift_fields(&self, type_id: i64) -> Result<Vec<DriftField>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| lens::fields(from, type_id)).await,
        }
    }

    /// A page of at most `limit` entities.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn entities(&self, query: EntityQuery, limit: usize) -> Result<EntityPage, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| lens::list(from, &query, limit)).await,
        }
    }

    /// The entity of an id, with what other sources say of the same thing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn device(&self, source: String, entity: String) -> Result<Option<Device>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| lens::device(from, &source, &entity)).await,
        }
    }

    /// Gives a device a name, at every source that speaks of it; `None` takes it away. `false` where none of that id is known.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn name_device(
        &self,
        source: String,
        entity: String,
        name: Option<String>,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let give = move |to: &_| lens::give_name(to, &source, &entity, name.as_deref());
                sqlite.write(true, give).await
            }
        }
    }

    /// How many entities of each source there are, and how many of them are silent.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn entity_counts(&self) -> Result<Vec<(String, u64, u64)>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(lens::counts).await,
        }
    }

    /// What devices are called, each by a source and its id there.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn entity_names(
        &self,
        entities: HashSet<(String, String)>,
    ) -> Result<HashMap<(String, String), String>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| lens::names(from, entities)).await,
        }
    }

    /// Accepted deliveries about an entity before the position `before`, newest first.
    /// At most `limit` deliveries and about `bytes` of bodies.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn entity_log(
        &self,
        (source, entity): (String, String),
        before: Option<i64>,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<FannedDelivery>, StoreError> {
        let about = DeliveryFilter {
            source: Some(source),
            entity: Some(entity),
            verdict: Some(Verdict::Accepted),
            ..DeliveryFilter::default()
        };
        let rows = self.list(&about, before, limit).await?;
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| lens::with_bytes(from, rows, bytes)).await,
        }
    }

    /// Entities whose silence check is due, the earliest first, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn due_silences(&self, now: Timestamp, limit: usize) -> Result<Vec<Entity>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| lens::due(from, now, limit)).await,
        }
    }

    /// Moves an entity's silence check to another time.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn postpone_silence(&self, entity: Entity, due: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| lens::postpone(to, &entity, due)).await,
        }
    }

    /// Marks an entity as silent and publishes the event, in one transaction.
    /// Returns `false` if the entity reported in the meantime or its silence was already published.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn tell_silence(
        &self,
        entity: Entity,
        (event, messages): (OutgoingEvent, Vec<NewMessage>),
        now: Now,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(true, move |to| lens::tell(to, &entity, &event, &messages, now)).await
            }
        }
    }

    /// Entities of `source` after `after` whose silence was computed with another rule, by id, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn reckoned_otherwise(
        &self,
        source: String,
        rule: SilenceAfter,
        after: String,
        limit: usize,
    ) -> Result<Vec<Entity>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.read(move |from| lens::other_rule(from, &source, rule, &after, limit)).await
            }
        }
    }

    /// Recomputes when these entities count as silent.
    /// An entity that is already silent when a rule is introduced is marked silent without an event.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn reckon_silences(
        &self,
        entities: Vec<Entity>,
        rule: SilenceAfter,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(false, move |to| lens::reckon(to, &entities, rule, now)).await
            }
        }
    }

    /// Records that the program listened until `now`, except during `outage`.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn heard_until(&self, now: Timestamp, outage: Option<Outage>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| lens::heard(to, now, outage)).await,
        }
    }

    /// The most recent outages, the earliest first.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn outages(&self) -> Result<Vec<Outage>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(lens::outages).await,
        }
    }
}
