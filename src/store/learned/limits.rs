//! Limits of what is stored about devices, and what both engines derive from one.

use crate::domain::Device;
use crate::store::{EntityOrder, EntityQuery};

/// The most entities stored; the ones silent for longest are removed first.
pub const MOST_ENTITIES: i64 = 500_000;
/// Sources that are asked about one id.
pub const MOST_MEMBERS: usize = 20;
/// The most outages stored.
pub const MOST_OUTAGES: usize = 100;

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
