//! What is added to a stored field, whichever the engine.

use crate::domain::JsonKinds;
use crate::store::{DriftField, FieldLearnt};

/// The most fields stored per event type.
const MOST_FIELDS: i64 = 2_000;

/// The fields of an event type, while something is learnt about them.
pub struct Fields {
    /// How many are stored.
    pub count: i64,
    /// Whether there were too many to store.
    pub is_cut: bool,
}

impl Fields {
    /// A field with what was learnt about it, to be stored. A new one counts, if there is room for it.
    pub fn learn(&mut self, known: Option<DriftField>, learnt: &FieldLearnt) -> Option<DriftField> {
        match known {
            Some(known) => Some(merged(known, learnt)),
            None if self.count >= MOST_FIELDS => {
                self.is_cut = true;
                None
            }
            None => new_field(learnt).inspect(|_| self.count = self.count.saturating_add(1)),
        }
    }
}

/// A field that was not known before; `None` if no kind of it was seen.
fn new_field(learnt: &FieldLearnt) -> Option<DriftField> {
    let (_, first) = learnt.firsts.first()?;
    let empty = DriftField {
        pointer: learnt.pointer.clone(),
        kinds: JsonKinds::default(),
        counts: [0; 7],
        first_seen: first.at,
        first_in: first.delivery,
        first_sample: first.sample,
        last_seen: first.at,
        changed: None,
    };
    Some(merged(empty, learnt))
}

/// A stored field with what was learnt about it.
fn merged(mut field: DriftField, learnt: &FieldLearnt) -> DriftField {
    for (kind, first) in &learnt.firsts {
        if field.kinds.is_changed_by(*kind) {
            field.changed = Some((field.kinds, first.at, first.delivery));
        }
        field.kinds = field.kinds.with(*kind);
    }
    for (sum, more) in field.counts.iter_mut().zip(learnt.counts) {
        *sum = sum.saturating_add(more);
    }
    field.last_seen = field.last_seen.max(learnt.last_seen);
    field
}
