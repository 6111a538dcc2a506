//! The deliveries about one entity, with their payloads.

use serde_json::Value;

use super::event_time;
use crate::domain::json::without_mark;
use crate::domain::{DeliveryRow, Device, Timestamp, is_of_the_future};
use crate::payload::Sources;
use crate::store::{LoggedDelivery, Store, StoreError};

/// The most bytes of bodies that are read at once, the last one excepted.
const BYTES: usize = 8 * 1024 * 1024;

/// Some deliveries about an entity.
#[derive(Debug, Default)]
pub struct EntityLog {
    /// The rows, the newest first.
    pub rows: Vec<DeliveryRow>,
    /// Their payloads, each with the time of its event; payloads that cannot be read as JSON are left out.
    pub payloads: Vec<(Timestamp, Value)>,
    /// Of each payload, the place of its row.
    pub places: Vec<usize>,
    /// When the newest of them was received.
    pub newest: Timestamp,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// The accepted deliveries about a device before the position `before`, at most `limit`.
///
/// # Errors
/// When the store cannot be read.
pub async fn entity_log(
    store: &Store,
    sources: &Sources,
    device: &Device,
    before: Option<i64>,
    limit: usize,
) -> Result<EntityLog, StoreError> {
    let (found, is_cut) = of_members(store, device, before, limit.saturating_add(1)).await?;
    let mut log = EntityLog { has_more: found.len() > limit || is_cut, ..EntityLog::default() };
    for delivery in found.into_iter().take(limit) {
        let source = sources.named(&delivery.row.source);
        let time_pointer = source.map(|source| source.time_pointer).unwrap_or_default();
        let text = sources.payload_text(&delivery.row.source, &delivery.headers, &delivery.body);
        if let Some(text) = text
            && let Ok(payload) = serde_json::from_slice(without_mark(&text))
        {
            let received_at = delivery.row.received_at;
            let event_at = event_time(&text, &time_pointer, received_at)
                .filter(|at| !is_of_the_future(*at, received_at));
            log.payloads.push((event_at.unwrap_or(received_at), payload));
            log.places.push(log.rows.len());
        }
        log.newest = log.newest.max(delivery.row.received_at);
        log.rows.push(delivery.row);
    }
    Ok(log)
}

/// The deliveries that each source has about it, the newest first; and whether some source had more bytes than are read at once.
async fn of_members(
    store: &Store,
    device: &Device,
    before: Option<i64>,
    limit: usize,
) -> Result<(Vec<LoggedDelivery>, bool), StoreError> {
    let room = BYTES / device.members().count().max(1);
    let mut all: Vec<LoggedDelivery> = Vec::new();
    let mut complete_from = i64::MIN;
    for member in device.members() {
        let id = (member.source.clone(), member.entity.clone());
        let found = store.entity_log(id, before, limit, room).await?;
        let weight: usize = found.iter().map(|delivery| delivery.body.len()).sum();
        if let Some(last) = found.last().filter(|_| weight >= room) {
            complete_from = complete_from.max(last.row.seq);
        }
        all.extend(found);
    }
    // Beyond the point where one source was cut, its deliveries would be missing.
    all.retain(|delivery| delivery.row.seq >= complete_from);
    all.sort_by_key(|delivery| std::cmp::Reverse(delivery.row.seq));
    Ok((all, complete_from > i64::MIN))
}
