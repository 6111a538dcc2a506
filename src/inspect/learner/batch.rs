//! The facts from a stretch of the log, combined so that little has to be written.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::domain::json::without_mark;
use crate::domain::{DeliveryRow, Seen, SilenceAfter, Verdict};
use crate::inspect::drift::{Shape, is_sample, learnt_fields};
use crate::inspect::entities::event_time;
use crate::store::{Learnt, Moved, SeenEntity, SeenIn, TypeLearnt};

/// The most event types, of all sources, that are learnt.
const MOST_TYPES: usize = 500;
/// The longest name of an event type that is learnt, in bytes.
const LONGEST_TYPE: usize = 256;
/// The longest name of an entity that is kept, in bytes.
const LONGEST_NAME: usize = 256;
/// The most fields and entities in one transaction, not counting those of the last event type.
const MOST_WRITES: usize = 16;
/// A batch is written at this many deliveries or fields.
const FULL: usize = 4_096;

/// How often an event type came so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Deliveries.
    pub deliveries: u64,
    /// Those that were read field by field.
    pub samples: u64,
    /// How many fields it has, about.
    pub fields: u64,
    /// Deliveries up to that position were counted before.
    pub through: i64,
}

/// How often each event type came so far, by source and name.
pub type Counts = HashMap<(String, String), Count>;

/// An event type in a batch.
struct TypeBatch {
    learnt: TypeLearnt,
    shape: Shape,
}

/// The facts learnt from a stretch of the log so far.
#[derive(Default)]
pub struct Batch {
    types: BTreeMap<(String, String), TypeBatch>,
    entities: BTreeMap<(String, String), SeenEntity>,
    left_out: u64,
    deliveries: usize,
}

/// How the source of a delivery is looked at.
pub struct Rules<'a> {
    /// The pointer to its entity.
    pub entity_pointer: &'a str,
    /// The pointer to its time; empty: the usual place.
    pub time_pointer: &'a str,
    /// When it is silent.
    pub silence_after: SilenceAfter,
    /// Whether life signs are read from it: not from what we said ourselves.
    pub is_alive: bool,
}

impl Batch {
    /// Adds a delivery with the JSON text of its payload.
    pub fn add(&mut self, row: &DeliveryRow, text: &[u8], rules: &Rules<'_>, counts: &mut Counts) {
        self.deliveries = self.deliveries.saturating_add(1);
        let sample = self.count(row, counts);
        let payload = sample.and_then(|seen| Some((seen, parse(text)?)));
        if let Some((seen, payload)) = &payload
            && let Some(known) = self.types.get_mut(&key_of(row))
        {
            known.shape.add(payload, *seen);
            known.learnt.samples = known.learnt.samples.saturating_add(1);
            if let Some(count) = counts.get_mut(&key_of(row)) {
                count.samples = count.samples.saturating_add(1);
                count.fields = count.fields.max(u64::try_from(known.shape.fields()).unwrap_or(u64::MAX));
            }
        }
        let Some(entity) = row.entity.clone().filter(|_| row.verdict == Verdict::Accepted && rules.is_alive)
        else {
            return;
        };
        let seen = Seen {
            delivery: row.id,
            received_at: row.received_at,
            event_at: event_time(text, rules.time_pointer, row.received_at),
            event_type: row.event_type.clone(),
            name: payload.and_then(|(_, payload)| name_beside(&payload, rules.entity_pointer)),
        };
        let new = || SeenEntity {
            source: row.source.clone(),
            entity: entity.clone(),
            rule: rules.silence_after,
            seen: Vec::new(),
        };
        self.entities
            .entry((row.source.clone(), entity.clone()))
            .or_insert_with(new)
            .seen
            .push((row.seq, seen));
    }

    /// Counts a delivery; returns how it is seen where it is to be read field by field.
    fn count(&mut self, row: &DeliveryRow, counts: &mut Counts) -> Option<SeenIn> {
        let event_type = row.event_type.as_ref()?;
        let key = key_of(row);
        let known = counts.get(&key);
        if known.is_some_and(|count| row.seq <= count.through) {
            return None;
        }
        if known.is_none() && (counts.len() >= MOST_TYPES || event_type.len() > LONGEST_TYPE) {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        let count = counts.entry(key.clone()).or_default();
        let after = std::mem::replace(&mut count.through, row.seq);
        count.deliveries = count.deliveries.saturating_add(1);
        let seen = SeenIn { delivery: row.id, at: row.received_at, sample: count.samples.saturating_add(1) };
        let (source, name) = key.clone();
        let new = || TypeBatch {
            learnt: TypeLearnt {
                source,
                event_type: name,
                deliveries: 0,
                refused: 0,
                samples: 0,
                is_cut: false,
                first: seen,
                last_seen: row.received_at,
                through: row.seq,
                after,
                fields: Vec::new(),
            },
            shape: Shape::default(),
        };
        let learnt = &mut self.types.entry(key).or_insert_with(new).learnt;
        learnt.deliveries = learnt.deliveries.saturating_add(1);
        learnt.refused = learnt.refused.saturating_add(u64::from(row.verdict == Verdict::Rejected));
        learnt.last_seen = learnt.last_seen.max(row.received_at);
        learnt.through = row.seq;
        is_sample(count.deliveries, count.fields).then_some(seen)
    }

    /// Whether it is time to write it.
    pub fn is_full(&self) -> bool {
        let fields = self.types.values().map(|known| known.shape.fields()).fold(0, usize::saturating_add);
        self.deliveries >= FULL || fields >= FULL
    }

    /// Whether there is nothing to write.
    pub const fn is_empty(&self) -> bool {
        self.deliveries == 0
    }

    /// The parts to write; the cursor moves with the last one.
    pub fn parts(self, is_history: bool, from: i64, through: i64) -> Vec<Learnt> {
        let mut parts = Vec::new();
        let empty = || Learnt { is_history, from, ..Learnt::default() };
        let mut part = empty();
        let mut weight = 0_usize;
        let mut room = |part: &mut Learnt, more: usize| {
            weight = weight.saturating_add(more);
            if weight >= MOST_WRITES {
                weight = 0;
                parts.push(std::mem::replace(part, empty()));
            }
        };
        for TypeBatch { learnt, shape } in self.types.into_values() {
            let is_cut = shape.is_cut;
            let fields = learnt_fields(shape);
            let more = fields.len().saturating_add(1);
            part.types.push(TypeLearnt { is_cut, fields, ..learnt });
            room(&mut part, more);
        }
        // By their keys: neighbours lie on one page.
        for seen in self.entities.into_values() {
            part.entities.push(seen);
            room(&mut part, 1);
        }
        part.moved = Some(Moved { through, left_out: self.left_out });
        parts.push(part);
        parts
    }
}

fn key_of(row: &DeliveryRow) -> (String, String) {
    (row.source.clone(), row.event_type.clone().unwrap_or_default())
}

fn parse(text: &[u8]) -> Option<Value> {
    serde_json::from_slice(without_mark(text)).ok()
}

/// The `name` next to the entity's id.
fn name_beside(payload: &Value, pointer: &str) -> Option<String> {
    let (parent, _) = pointer.rsplit_once('/')?;
    let name = payload.pointer(parent)?.get("name")?.as_str()?;
    (!name.is_empty() && name.len() <= LONGEST_NAME).then(|| name.to_owned())
}
