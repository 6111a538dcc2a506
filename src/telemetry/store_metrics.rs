//! The figures of the store: its batches, and its connections to a database.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Bounds of the histogram of batches, in deliveries.
const BUCKETS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];
/// Bounds of the histogram of their time, in seconds.
const BUCKETS_S: [f64; 13] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// The figures; clones share them.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    batches: Histogram,
    batch_time: Histogram,
    batches_failed: Counter,
    failovers: Counter,
    connections: Family<StateLabels, Gauge>,
    limit: Gauge,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self {
            batches: Histogram::new(BUCKETS),
            batch_time: Histogram::new(BUCKETS_S),
            batches_failed: Counter::default(),
            failovers: Counter::default(),
            connections: Family::default(),
            limit: Gauge::default(),
        }
    }
}

impl StoreMetrics {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let own = Self::default();
        let help = "Deliveries in a batch, which is one transaction";
        registry.register("store_batch_deliveries", help, own.batches.clone());
        let help = "Time that a batch took until it was durable";
        registry.register_with_unit("store_batch", help, Unit::Seconds, own.batch_time.clone());
        let help = "Batches that could not be written: their deliveries were answered with 503";
        registry.register("store_batches_failed", help, own.batches_failed.clone());
        let help = "Changes of the database server, such as after the promotion of a standby";
        registry.register("store_failovers", help, own.failovers.clone());
        let help = "Connections to the database, by state";
        registry.register("store_connections", help, own.connections.clone());
        let help = "The most bytes that the store may use: max_size";
        registry.register_with_unit("store_limit", help, Unit::Bytes, own.limit.clone());
        own
    }

    /// Sets how many bytes the store may use.
    pub fn limit(&self, bytes: u64) {
        self.limit.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Counts a batch that is durable.
    pub fn batch_written(&self, deliveries: usize, took: Duration) {
        self.batches.observe(u32::try_from(deliveries).map_or(f64::MAX, f64::from));
        self.batch_time.observe(took.as_secs_f64());
    }

    /// Counts a batch that could not be written.
    pub fn batch_failed(&self) {
        self.batches_failed.inc();
    }

    /// Counts a change of the server.
    pub fn failed_over(&self) {
        self.failovers.inc();
    }

    /// The number of connections in each state at the time of a scrape.
    pub fn connections(&self, states: &[(&'static str, usize)]) {
        for (state, count) in states {
            let gauge = self.connections.get_or_create(&StateLabels { state });
            gauge.set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
    }
}
