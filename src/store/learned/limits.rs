//! Limits of what is stored about devices, and what both engines derive from one.

use std::time::Duration;

use crate::domain::{Device, Entity, SilenceAfter, Timestamp};
use crate::store::{EntityOrder, EntityQuery, Outage};

/// The most entities stored; the ones silent for longest are removed first.
pub const MOST_ENTITIES: i64 = 500_000;
/// Sources that are asked about one id.
pub const MOST_MEMBERS: usize = 20;
/// The most outages stored.
pub const MOST_OUTAGES: usize = 100;
/// After a longer gap in listening, silences in that time are unknown.
pub const SHORTEST_OUTAGE: Duration = Duration::from_secs(60);

/// What is left of an outage that ends now if somebody listened until `heard_at`. A time far ahead was recorded by a
/// wrong clock and does not count.
pub fn unheard(outage: Outage, heard_at: Timestamp) -> Option<Outage> {
    let since = match heard_at <= outage.until.plus(SHORTEST_OUTAGE) {
        true => outage.since.max(heard_at),
        false => outage.since,
    };
    (since.plus(SHORTEST_OUTAGE) < outage.until).then_some(Outage { since, ..outage })
}

/// When an entity is due by a rule, and since when it is silent by it: one of them at most.
pub fn due_by(rule: SilenceAfter, entity: &Entity, now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
    match rule.due(entity.heard_at(), entity.usual()) {
        Some(due) if due <= now => (None, entity.silent_at.or(Some(now))),
        due => (due, None),
    }
}

/// Whether a device of a list is shown at its place; otherwise another of its entities represents it.
pub fn is_shown(query: &EntityQuery, device: &Device, before: &[Device]) -> bool {
    if !query.is_joined || device.others.is_empty() {
        return true;
    }
    let is_filtered = query.source.is_some() || query.q.is_some();
    match query.order {
        // The other one may not match.
        _ if is_filtered => before.iter().all(|other| other.key.entity != device.key.entity),
        EntityOrder::Trouble => device.representative(query.now).source == device.key.source,
        EntityOrder::Recent | EntityOrder::Silence => device.latest().source == device.key.source,
    }
}
