//! Counters and histograms in the Prometheus text format.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::exposition::{Exposition, written};
use super::process::process_text;
use super::refusals::{NotKept, PortName, Refusals, Refused};
use super::sender_metrics::{EndpointGauges, ParkedGauges, SenderMetrics};
use super::store_metrics::StoreMetrics;
use super::{DeliveryLine, Tally, Workers};
use crate::domain::{Appended, Reason, Timestamp, Verdict};

/// Bounds of the response time histogram, in seconds.
const BUCKETS_S: [f64; 14] =
    [0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    source: String,
    verdict: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NotKeptLabels {
    cause: &'static str,
}

/// The devices of a source at the time of a scrape.
#[derive(Clone, Debug, Default)]
pub struct DeviceGauges {
    /// The source.
    pub source: String,
    /// How many there are.
    pub all: u64,
    /// How many of them are silent.
    pub silent: u64,
}

/// Values measured at the time of a scrape.
#[derive(Clone, Debug, Default)]
pub struct Gauges {
    /// Bytes of the store's file in use.
    pub store_bytes: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// Entries waiting for the writer.
    pub queue_depth: u64,
    /// Bytes of the search index.
    pub search_bytes: u64,
    /// Segments of the log that the search index covers.
    pub search_segments: u64,
    /// The connections to a database, by state.
    pub connections: Vec<(&'static str, usize)>,
    /// The endpoints of subscriptions.
    pub endpoints: Vec<EndpointGauges>,
    /// Subscriptions that are not in force.
    pub parked: Vec<ParkedGauges>,
    /// The devices of each source.
    pub devices: Vec<DeviceGauges>,
}

/// A gauge for each source.
type BySource<T> = Family<SourceLabels, T>;
type Seconds = Gauge<f64, AtomicU64>;

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    deliveries: Family<DeliveryLabels, Counter>,
    not_kept: Family<NotKeptLabels, Counter>,
    not_read: Family<NotKeptLabels, Counter>,
    refusals: Refusals,
    answer_time: Family<SourceLabels, Histogram, fn() -> Histogram>,
    last_delivery: BySource<Seconds>,
    last_rejection: BySource<Seconds>,
    devices: BySource<Gauge>,
    silent_devices: BySource<Gauge>,
    store_bytes: Gauge,
    wal_bytes: Gauge,
    queue_depth: Gauge,
    search_bytes: Gauge,
    search_segments: Gauge,
    sender: SenderMetrics,
    store: StoreMetrics,
    workers: Workers,
    tally: Tally,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tagohook");
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of the program; always 1", build);
        let deliveries = Family::default();
        let (not_kept, not_read) = (Family::default(), Family::default());
        let constructor: fn() -> Histogram = || Histogram::new(BUCKETS_S);
        let answer_time = Family::new_with_constructor(constructor);
        let (last_delivery, last_rejection) = (BySource::default(), BySource::default());
        let (devices, silent_devices) = (BySource::default(), BySource::default());
        let (store_bytes, wal_bytes, queue_depth) = (Gauge::default(), Gauge::default(), Gauge::default());
        let (search_bytes, search_segments) = (Gauge::default(), Gauge::default());
        registry.register("deliveries", "Deliveries stored, by verdict", deliveries.clone());
        registry.register("requests_not_kept", "Requests that left no delivery, by cause", not_kept.clone());
        let help = "Requests to the inspector that are not valid HTTP, by cause";
        registry.register("inspector_requests_not_read", help, not_read.clone());
        let help = "Time from the head of a request until its delivery is on disk, by source";
        registry.register_with_unit("answer_time", help, Unit::Seconds, answer_time.clone());
        let help = "When the last delivery of a source was received, in seconds since 1970";
        registry.register_with_unit("last_delivery_timestamp", help, Unit::Seconds, last_delivery.clone());
        let help = "When a source last rejected a delivery, in seconds since 1970";
        registry.register_with_unit("last_rejection_timestamp", help, Unit::Seconds, last_rejection.clone());
        registry.register("devices", "Devices that were seen, by source", devices.clone());
        let help = "Devices that are silent by the silence_after of their source";
        registry.register("silent_devices", help, silent_devices.clone());
        registry.register_with_unit("store_size", "Store file in use", Unit::Bytes, store_bytes.clone());
        registry.register_with_unit("store_wal", "Write-ahead log", Unit::Bytes, wal_bytes.clone());
        registry.register("store_queue_depth", "Entries waiting for the writer", queue_depth.clone());
        registry.register_with_unit("search_index", "Search index", Unit::Bytes, search_bytes.clone());
        let help = "Segments of 8,192 deliveries that the search index covers";
        registry.register("search_segments", help, search_segments.clone());
        let sender = SenderMetrics::registered(&mut registry);
        let store = StoreMetrics::registered(&mut registry);
        let workers = Workers::default();
        let help = "Threads and tasks that stopped because of a fault in the program";
        registry.register("workers_ended", help, workers.counts());
        Self {
            registry,
            deliveries,
            not_kept,
            not_read,
            refusals: Refusals::default(),
            answer_time,
            last_delivery,
            last_rejection,
            devices,
            silent_devices,
            store_bytes,
            wal_bytes,
            queue_depth,
            search_bytes,
            search_segments,
            sender,
            store,
            workers,
            tally: Tally::default(),
        }
    }
}

impl Metrics {
    /// Counts a delivery that was kept: the time that its row says, and the time until it was on disk.
    pub fn kept(&self, line: &DeliveryLine, appended: &Appended, (took, taken): (Duration, Duration)) {
        let (verdict, reason) = line.verdict(appended);
        let labels = DeliveryLabels {
            source: line.known_source().to_owned(),
            verdict: verdict.as_str(),
            reason: reason.map_or("", Reason::as_str),
        };
        self.deliveries.get_or_create(&labels).inc();
        let source = SourceLabels { source: line.known_source().to_owned() };
        self.answer_time.get_or_create(&source).observe(taken.as_secs_f64());
        self.last_delivery.get_or_create(&source).set(seconds(line.received_at()));
        if verdict == Verdict::Rejected {
            self.last_rejection.get_or_create(&source).set(seconds(line.received_at()));
        }
        self.tally.add(line.known_source(), (verdict, reason), took);
    }

    /// The sources of those names from which nothing was received since the program started.
    #[must_use]
    pub fn unheard<'s>(&self, sources: &'s [String]) -> Vec<&'s String> {
        let is_known =
            |source: &str| self.last_delivery.get(&SourceLabels { source: source.to_owned() }).is_some();
        sources.iter().filter(|source| !is_known(source)).collect()
    }

    /// Says when the last delivery of a source was received, before the program started.
    pub fn heard_before(&self, source: &str, at: Timestamp) {
        self.last_delivery.get_or_create(&SourceLabels { source: source.to_owned() }).set(seconds(at));
    }

    /// Deliveries counted since the tally was last taken.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Counts a request that was not stored.
    pub fn not_kept(&self, cause: NotKept) {
        self.not_kept.get_or_create(&NotKeptLabels { cause: cause.as_str() }).inc();
    }

    /// Counts and remembers a request without a delivery.
    pub fn refused(&self, refused: Refused, now: Timestamp) {
        match refused.port {
            PortName::Receiver => self.not_kept(refused.cause),
            PortName::Inspector => {
                self.not_read.get_or_create(&NotKeptLabels { cause: refused.cause.as_str() }).inc();
            }
        }
        self.refusals.add(refused, now);
    }

    /// Requests that reached a port without a delivery.
    #[must_use]
    pub const fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// The counters of the sender.
    #[must_use]
    pub const fn sender(&self) -> &SenderMetrics {
        &self.sender
    }

    /// The figures of the store.
    #[must_use]
    pub const fn store(&self) -> &StoreMetrics {
        &self.store
    }

    /// The registry of the program's workers.
    #[must_use]
    pub const fn workers(&self) -> &Workers {
        &self.workers
    }

    /// All metrics in a text format, with the current `gauges`. The series have the same order in every scrape.
    #[must_use]
    pub fn text(&self, gauges: &Gauges, exposition: Exposition) -> String {
        let as_gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.store_bytes.set(as_gauge(gauges.store_bytes));
        self.wal_bytes.set(as_gauge(gauges.wal_bytes));
        self.queue_depth.set(as_gauge(gauges.queue_depth));
        self.search_bytes.set(as_gauge(gauges.search_bytes));
        self.search_segments.set(as_gauge(gauges.search_segments));
        self.store.connections(&gauges.connections);
        self.sender.set(&gauges.endpoints, &gauges.parked);
        self.devices.clear();
        self.silent_devices.clear();
        for of_source in &gauges.devices {
            let source = SourceLabels { source: of_source.source.clone() };
            self.devices.get_or_create(&source).set(as_gauge(of_source.all));
            self.silent_devices.get_or_create(&source).set(as_gauge(of_source.silent));
        }
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text.push_str(&process_text());
        written(&text, exposition)
    }
}

/// Seconds since 1970.
fn seconds(at: Timestamp) -> f64 {
    Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or_default()).as_secs_f64()
}

#[cfg(test)]
pub mod sample;
