//! What is said to the lens and what it answers.

use crate::domain::{DeliveryId, Entity, JsonKind, JsonKinds, Seen, SilenceAfter, Timestamp};

/// A delivery by which something was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenIn {
    /// The delivery.
    pub delivery: DeliveryId,
    /// When it came.
    pub at: Timestamp,
    /// Which sample of its type it is, counted from 1.
    pub sample: u64,
}

/// What some deliveries told of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldLearnt {
    /// Where it is; items of arrays as `*`.
    pub pointer: String,
    /// How often each kind was seen, in the order of `JsonKind::ALL`.
    pub counts: [u64; 7],
    /// The first delivery of each kind that was seen, the earliest first.
    pub firsts: Vec<(JsonKind, SeenIn)>,
    /// When it was last seen.
    pub last_seen: Timestamp,
}

/// What some deliveries told of an event type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeLearnt {
    /// Its source.
    pub source: String,
    /// Its name.
    pub event_type: String,
    /// How many deliveries.
    pub deliveries: u64,
    /// Of those, refused for their schema.
    pub refused: u64,
    /// Of those, read field by field.
    pub samples: u64,
    /// Whether they had fields that are not told.
    pub is_cut: bool,
    /// The first one.
    pub first: SeenIn,
    /// When the last one came.
    pub last_seen: Timestamp,
    /// The position of the last one.
    pub through: i64,
    /// The fields.
    pub fields: Vec<FieldLearnt>,
}

/// What some deliveries told of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenEntity {
    /// Its source.
    pub source: String,
    /// Its id.
    pub entity: String,
    /// When it is silent.
    pub rule: SilenceAfter,
    /// Each delivery with its position, the oldest first.
    pub seen: Vec<(i64, Seen)>,
}

/// What a stretch of the log told, or a part of that. What is written already is known by its position, so that a stretch
/// may be written in parts, and a part again.
#[derive(Clone, Debug, Default)]
pub struct Learnt {
    /// The cursor from which it was read; where it has moved meanwhile, nothing is written.
    pub from: i64,
    /// Event types; none that was written with these deliveries before.
    pub types: Vec<TypeLearnt>,
    /// Entities.
    pub entities: Vec<SeenEntity>,
    /// Whether it is history: the silences of entities are not reckoned yet.
    pub is_history: bool,
    /// With the last part: how the cursor moves.
    pub moved: Option<Moved>,
}

/// All of a stretch is written: the cursor moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it will be.
    pub through: i64,
    /// Deliveries whose type was one too many.
    pub left_out: u64,
}

/// How far the log was learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LensState {
    /// The position up to which it was.
    pub cursor: i64,
    /// Nobody is told of silences that began before this position.
    pub since: i64,
    /// When the program last listened; `None` where it never did.
    pub heard_at: Option<Timestamp>,
    /// How many entities there are.
    pub entities: u64,
    /// Deliveries whose type was one too many.
    pub left_out: u64,
}

/// An event type as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftType {
    /// Its number.
    pub id: i64,
    /// Its source.
    pub source: String,
    /// Its name.
    pub event_type: String,
    /// Deliveries in all.
    pub deliveries: u64,
    /// Of those, refused for their schema.
    pub refused: u64,
    /// Of those, read field by field.
    pub samples: u64,
    /// How many fields are kept.
    pub fields: u64,
    /// Whether there were more.
    pub is_cut: bool,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// The delivery that brought it.
    pub first_in: DeliveryId,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// The position of its last delivery.
    pub through: i64,
}

/// A field as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftField {
    /// Where it is; items of arrays as `*`.
    pub pointer: String,
    /// What it was.
    pub kinds: JsonKinds,
    /// How often each kind was seen, in the order of `JsonKind::ALL`.
    pub counts: [u64; 7],
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// The delivery that brought it.
    pub first_in: DeliveryId,
    /// Which sample that was.
    pub first_sample: u64,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// What it was before its type changed, when that was, and the delivery that did it.
    pub changed: Option<(JsonKinds, Timestamp, DeliveryId)>,
}

impl DriftField {
    /// How often it was seen.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How often it was of that kind.
    #[must_use]
    pub fn seen_as(&self, kind: JsonKind) -> u64 {
        self.counts.get(kind.place()).copied().unwrap_or(0)
    }
}

/// The order of a list of entities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EntityOrder {
    /// Whoever was heard of last comes first.
    #[default]
    Recent,
    /// Whoever has been silent longest comes first.
    Silence,
}

/// A place in a list of entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityPlace {
    /// When the one before was last heard of.
    pub last_seen: Timestamp,
    /// Its source.
    pub source: String,
    /// Its id.
    pub entity: String,
}

/// Which entities are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityQuery {
    /// Of this source.
    pub source: Option<String>,
    /// Whose id or name holds this text, in whatever case.
    pub q: Option<String>,
    /// Only those that are known to be silent.
    pub is_silent: bool,
    /// In which order.
    pub order: EntityOrder,
    /// After which place.
    pub after: Option<EntityPlace>,
}

/// A page of entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityPage {
    /// The entities.
    pub entities: Vec<Entity>,
    /// Where the next page begins; `None`: there is none.
    pub next: Option<EntityPlace>,
}

/// A time at which nobody listened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it began.
    pub since: Timestamp,
    /// When it ended.
    pub until: Timestamp,
}
