//! The deliveries about one entity, with their payloads.

use serde_json::Value;

use super::event_time;
use crate::domain::json::without_mark;
use crate::domain::{DeliveryRow, Timestamp, is_of_the_future};
use crate::payload::Sources;
use crate::store::{Store, StoreError};

/// The most bytes of bodies that are read at once, the last one excepted.
const BYTES: usize = 8 * 1024 * 1024;

/// Some deliveries about an entity.
#[derive(Debug, Default)]
pub struct EntityLog {
    /// The rows, the newest first.
    pub rows: Vec<DeliveryRow>,
    /// Their payloads, each with the time of its event; what is no JSON any more is left out.
    pub payloads: Vec<(Timestamp, Value)>,
    /// When the newest of them was received.
    pub newest: Timestamp,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// The accepted deliveries about an entity of a source before the position `before`, at most `limit`.
///
/// # Errors
/// When the store cannot be read.
pub async fn entity_log(
    store: &Store,
    sources: &Sources,
    (source, entity): (String, String),
    before: Option<i64>,
    limit: usize,
) -> Result<EntityLog, StoreError> {
    let source_name = source.clone();
    let found = store.entity_log((source, entity), before, limit.saturating_add(1), BYTES).await?;
    let weight: usize = found.iter().map(|delivery| delivery.body.len()).sum();
    let time_pointer = sources.named(&source_name).map(|source| source.time_pointer).unwrap_or_default();
    let mut log = EntityLog { has_more: found.len() > limit || weight >= BYTES, ..EntityLog::default() };
    for delivery in found.into_iter().take(limit) {
        let text = sources.payload_text(&delivery.row.source, &delivery.headers, &delivery.body);
        if let Some(text) = text
            && let Ok(payload) = serde_json::from_slice(without_mark(&text))
        {
            let received_at = delivery.row.received_at;
            let event_at = event_time(&text, &time_pointer, received_at)
                .filter(|at| !is_of_the_future(*at, received_at));
            log.payloads.push((event_at.unwrap_or(received_at), payload));
        }
        log.newest = log.newest.max(delivery.row.received_at);
        log.rows.push(delivery.row);
    }
    Ok(log)
}
