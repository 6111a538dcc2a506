//! What sightings add to a stored entity, whichever the engine.

use crate::domain::{Entity, SilenceAfter, Timestamp};
use crate::store::SeenEntity;

/// An entity after its sightings.
#[derive(Clone, Debug)]
pub struct Sighted {
    /// The entity.
    pub entity: Entity,
    /// The position of its last delivery.
    pub through: i64,
    /// When it counts as silent, if anybody asks.
    pub due: Option<Timestamp>,
    /// The number of the rule that says so.
    pub rule: i64,
}

/// Adds the sightings of an entity after those through which it is known; `None` if there are none. History is not
/// evaluated yet, so old silences are not published.
pub fn sighted(known: Option<(Entity, i64)>, seen: &SeenEntity, is_history: bool) -> Option<Sighted> {
    let (mut known, before) = known.map_or((None, 0), |(entity, through)| (Some(entity), through));
    let mut through = before;
    for (seq, seen_in) in seen.seen.iter().filter(|(seq, _)| *seq > before) {
        through = *seq;
        match &mut known {
            Some(known) => known.see(seen_in),
            None => known = Some(Entity::first(seen.source.clone(), seen.entity.clone(), seen_in)),
        }
    }
    let entity = known.filter(|_| through > before)?;
    let (due, rule) = match is_history {
        true => (None, SilenceAfter::Off.number()),
        false => (seen.rule.due(entity.heard_at(), entity.usual()), seen.rule.number()),
    };
    Some(Sighted { entity, through, due, rule })
}
