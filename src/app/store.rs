//! The store that a configuration names.

use std::sync::Arc;

use anyhow::Context as _;

use crate::config::{self, Config, DataDir, StorePlace, kept_retention};
use crate::domain::Clock;
use crate::store::{Membership, Place, PostgresPlace, Retention, StoreOptions};
use crate::telemetry::Metrics;

/// Bytes of deliveries that may wait for the writer.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// Where the store is. With its `store_key` a node takes part in a shared one; without, the store is only opened.
///
/// # Errors
/// When the id of this node cannot be read or written.
pub fn store_place(config: &Config, store_key: Option<&[u8; 32]>) -> anyhow::Result<Place> {
    let url = match &config.store.place {
        StorePlace::Sqlite(path) => return Ok(Place::Sqlite(path.clone())),
        StorePlace::Postgres(url) => url,
    };
    let named = config.store.node.clone();
    let Some(store_key) = store_key else {
        return Ok(Place::Postgres(Box::new(PostgresPlace::new(url, named.unwrap_or_default(), None))));
    };
    let instance = config::instance(&config.data_dir)
        .with_context(|| format!("{}/node-id cannot be used", config.data_dir.display()))?;
    let node = named.unwrap_or_else(|| config::name_of(&instance));
    let membership = Membership { instance, store_key: config::fingerprint(store_key) };
    Ok(Place::Postgres(Box::new(PostgresPlace::new(url, node, Some(membership)))))
}

/// The options for opening the store with this configuration.
#[must_use]
pub fn store_options(
    config: &Config,
    place: Place,
    clock: Arc<dyn Clock>,
    metrics: &Metrics,
) -> StoreOptions {
    let store = &config.store;
    metrics.store().limit(store.max_size);
    StoreOptions {
        place,
        clock,
        retention: retention(config),
        queue: store.queue,
        queue_bytes: QUEUE_BYTES,
        workers: metrics.workers().clone(),
        metrics: metrics.store().clone(),
    }
}

const fn retention(config: &Config) -> Retention {
    let store = &config.store;
    Retention {
        keep_deliveries: store.keep_deliveries,
        keep_rejected: store.keep_rejected,
        keep_captured: store.keep_captured,
        keep_event_ids: store.keep_event_ids,
        keep_messages: store.keep_messages,
        keep_dead_letters: store.keep_dead_letters,
        max_size: store.max_size,
        max_refused: store.max_refused,
    }
}

/// Keeps the configured rules of retention in the data directory: `tagohook prune` without a configuration must not remove
/// what they keep. A start does not fail if they cannot be written.
pub fn keep_rules(data_dir: &DataDir, config: &Config) {
    let rules = serde_json::to_string(&retention(config)).unwrap_or_default();
    if let Err(fault) = data_dir.keep_retention(&rules) {
        tracing::warn!(%fault, "retention.json cannot be written; give `tagohook prune` the configuration");
    }
}

/// The rules of retention that the last instance on the data directory of `config` had; `None` before its first start.
pub fn kept_rules(config: &Config) -> anyhow::Result<Option<Retention>> {
    let kept = kept_retention(&config.data_dir)?;
    kept.map(|rules| serde_json::from_str(&rules).context("retention.json is damaged; pass --config"))
        .transpose()
}
