//! Request and response types for drift and devices.

use crate::domain::{DeliveryId, Device, DeviceState, JsonKind, JsonKinds, Seen, SilenceAfter, Timestamp};
use crate::store::LoggedDelivery;

/// A delivery in which something was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenIn {
    /// The delivery.
    pub delivery: DeliveryId,
    /// When it was received.
    pub at: Timestamp,
    /// Its sample number within its type, counted from 1.
    pub sample: u64,
}

/// What some deliveries showed about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldLearnt {
    /// Its JSON pointer; array items are written as `*`.
    pub pointer: String,
    /// How often each kind was seen, in the order of `JsonKind::ALL`.
    pub counts: [u64; 7],
    /// The first delivery with each kind, the earliest first.
    pub firsts: Vec<(JsonKind, SeenIn)>,
    /// When it was last seen.
    pub last_seen: Timestamp,
}

/// What some deliveries showed about an event type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeLearnt {
    /// Its source.
    pub source: String,
    /// Its name.
    pub event_type: String,
    /// The number of deliveries.
    pub deliveries: u64,
    /// Of those, the ones that failed schema validation.
    pub refused: u64,
    /// Of those, the ones read field by field.
    pub samples: u64,
    /// Whether they had more fields than are listed here.
    pub is_cut: bool,
    /// The first delivery.
    pub first: SeenIn,
    /// When the last delivery was received.
    pub last_seen: Timestamp,
    /// The position of the last delivery.
    pub through: i64,
    /// The position of its last delivery that was counted before these, as the caller knows it; 0: there was none. If
    /// another caller has counted more since, nothing is written.
    pub after: i64,
    /// The fields.
    pub fields: Vec<FieldLearnt>,
}

/// What some deliveries showed about an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenEntity {
    /// Its source.
    pub source: String,
    /// Its id.
    pub entity: String,
    /// The silence rule of its source.
    pub rule: SilenceAfter,
    /// Each delivery with its position, the oldest first.
    pub seen: Vec<(i64, Seen)>,
}

/// What was learnt from a section of the log, or a part of it. What is already written is recognised by its position.
/// A section may therefore be written in parts, and several callers may read the same section: it is counted once.
#[derive(Clone, Debug, Default)]
pub struct Learnt {
    /// The cursor from which it was read. If the cursor has moved since, nothing is written.
    pub from: i64,
    /// Event types, without those already written for these deliveries.
    pub types: Vec<TypeLearnt>,
    /// Entities.
    pub entities: Vec<SeenEntity>,
    /// Whether this is history: silences of its entities are not computed yet.
    pub is_history: bool,
    /// In the last part only: the cursor's new place.
    pub moved: Option<Moved>,
}

/// A whole section is written, so the cursor moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The new cursor.
    pub through: i64,
    /// Deliveries ignored because their type exceeded the maximum number of types.
    pub left_out: u64,
}

/// A section of the log for the learner.
#[derive(Clone, Debug)]
pub struct LogSection {
    /// Deliveries that were accepted or failed schema validation, the oldest first.
    pub deliveries: Vec<LoggedDelivery>,
    /// The cursor after them. If it has not moved, the log was read to its end.
    pub through: i64,
    /// Deliveries that were written at this time or later may be missing, although the log was read to its end: some
    /// of their positions are not final. `None`: none is missing.
    pub missing_since: Option<Timestamp>,
}

/// How far the learner has read the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnerState {
    /// The position up to which the log was read.
    pub cursor: i64,
    /// Silences that began before this position are not published.
    pub since: i64,
    /// When the program last listened; `None` if it never did.
    pub heard_at: Option<Timestamp>,
    /// The number of entities.
    pub entities: u64,
    /// Deliveries ignored because their type exceeded the maximum number of types.
    pub left_out: u64,
}

/// A stored event type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftType {
    /// Its row id.
    pub id: i64,
    /// Its source.
    pub source: String,
    /// Its name.
    pub event_type: String,
    /// The number of deliveries.
    pub deliveries: u64,
    /// Of those, the ones that failed schema validation.
    pub refused: u64,
    /// Of those, the ones read field by field.
    pub samples: u64,
    /// The number of stored fields.
    pub fields: u64,
    /// Whether it had more fields than are stored.
    pub is_cut: bool,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// The delivery in which it was first seen.
    pub first_in: DeliveryId,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// The position of its last delivery.
    pub through: i64,
}

/// A stored field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftField {
    /// Its JSON pointer; array items are written as `*`.
    pub pointer: String,
    /// Its kinds.
    pub kinds: JsonKinds,
    /// How often each kind was seen, in the order of `JsonKind::ALL`.
    pub counts: [u64; 7],
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// The delivery in which it was first seen.
    pub first_in: DeliveryId,
    /// The sample number of that delivery.
    pub first_sample: u64,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// Its kinds before its type changed, the time of the change, and the delivery that changed it.
    pub changed: Option<(JsonKinds, Timestamp, DeliveryId)>,
}

impl DriftField {
    /// The number of times it was seen.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The number of times it had this kind.
    #[must_use]
    pub fn seen_as(&self, kind: JsonKind) -> u64 {
        self.counts.get(kind.place()).copied().unwrap_or(0)
    }
}

/// The sort order of an entity list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EntityOrder {
    /// The most recently seen first.
    #[default]
    Recent,
    /// The longest silent first.
    Silence,
    /// Those in trouble first: silent, with a wrong clock, late, quiet; then the most recently seen.
    Trouble,
}

/// A position in an entity list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityPlace {
    /// In which part of the list.
    pub class: usize,
    /// The time by which that part is ordered.
    pub at: Timestamp,
    /// Its source.
    pub source: String,
    /// Its id.
    pub entity: String,
}

/// Selects entities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityQuery {
    /// Only this source.
    pub source: Option<String>,
    /// Whose id or name contains this text, in whatever case.
    pub q: Option<String>,
    /// Only those in this state.
    pub state: Option<DeviceState>,
    /// In which order.
    pub order: EntityOrder,
    /// Whether what several sources say of one device is one row.
    pub is_joined: bool,
    /// Now: who is quiet depends on it.
    pub now: Timestamp,
    /// After which place.
    pub after: Option<EntityPlace>,
}

/// A page of entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityPage {
    /// The entities, each with what other sources say of the same thing.
    pub devices: Vec<Device>,
    /// Where the next page begins; `None`: there is none.
    pub next: Option<EntityPlace>,
}

/// A period in which the program did not listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it began.
    pub since: Timestamp,
    /// When it ended.
    pub until: Timestamp,
}
