//! The counters of the sender.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::Attempt;

/// Bounds of the histogram of attempts, in seconds.
const BUCKETS_S: [f64; 14] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    subscription: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EvaluationLabels {
    subscription: String,
    part: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MessageLabels {
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabels {
    subscription: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuantileLabels {
    subscription: String,
    quantile: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NameLabels {
    subscription: String,
    name: String,
}

/// An endpoint at the time of a scrape.
#[derive(Clone, Debug, Default)]
pub struct EndpointGauges {
    /// The id of the subscription.
    pub subscription: String,
    /// The display name.
    pub name: String,
    /// Whether the last health check succeeded; `None` before the first check.
    pub is_healthy: Option<bool>,
    /// Messages that wait.
    pub pending: u64,
    /// Dead letters.
    pub dead: u64,
    /// The mean of the attempts that got an answer, in seconds; `None` where none did.
    pub mean_s: Option<f64>,
    /// Their percentiles, in seconds: p50, p95, p99.
    pub percentiles_s: Option<[f64; 3]>,
}

/// A subscription that is not in force, at the time of a scrape.
#[derive(Clone, Debug, Default)]
pub struct ParkedGauges {
    /// Its id.
    pub subscription: String,
    /// Messages that wait for it to be in force again.
    pub parked: u64,
    /// Dead letters.
    pub dead: u64,
}

/// The counters of the sender.
#[derive(Clone, Debug)]
pub struct SenderMetrics {
    attempts: Family<AttemptLabels, Counter>,
    evaluation_failures: Family<EvaluationLabels, Counter>,
    retries: Counter,
    messages: Family<MessageLabels, Counter>,
    attempt_time: Histogram,
    is_healthy: Family<EndpointLabels, Gauge>,
    pending: Family<EndpointLabels, Gauge>,
    parked: Family<EndpointLabels, Gauge>,
    dead: Family<EndpointLabels, Gauge>,
    mean: Family<EndpointLabels, Gauge<f64, AtomicU64>>,
    quantiles: Family<QuantileLabels, Gauge<f64, AtomicU64>>,
    names: Family<NameLabels, Gauge>,
}

impl SenderMetrics {
    /// Counters registered with `registry`.
    pub fn registered(registry: &mut Registry) -> Self {
        let metrics = Self {
            attempts: Family::default(),
            evaluation_failures: Family::default(),
            retries: Counter::default(),
            messages: Family::default(),
            attempt_time: Histogram::new(BUCKETS_S),
            is_healthy: Family::default(),
            pending: Family::default(),
            parked: Family::default(),
            dead: Family::default(),
            mean: Family::default(),
            quantiles: Family::default(),
            names: Family::default(),
        };
        registry.register(
            "attempts",
            "Attempts to send, by subscription and outcome",
            metrics.attempts.clone(),
        );
        let help = "Events on which a subscription's filter or template failed";
        registry.register("evaluation_failures", help, metrics.evaluation_failures.clone());
        registry.register("retries", "Attempts after a message's first", metrics.retries.clone());
        registry.register("messages_finished", "Finished messages, by status", metrics.messages.clone());
        let help = "Time of an attempt that got a response";
        registry.register_with_unit("attempt_time", help, Unit::Seconds, metrics.attempt_time.clone());
        let help = "Whether the last health check of an endpoint succeeded";
        registry.register("endpoint_healthy", help, metrics.is_healthy.clone());
        registry.register("messages_pending", "Messages that wait for an attempt", metrics.pending.clone());
        let help = "Messages that wait because their subscription is missing or cannot be used";
        registry.register("messages_parked", help, metrics.parked.clone());
        registry.register("dead_letters", "Dead letters", metrics.dead.clone());
        let help = "Mean time of the attempts that got a response";
        registry.register_with_unit("response_time_mean", help, Unit::Seconds, metrics.mean.clone());
        let help = "Percentiles of the time of attempts that got a response";
        registry.register_with_unit("response_time", help, Unit::Seconds, metrics.quantiles.clone());
        registry.register("subscription_info", "The name of a subscription; always 1", metrics.names.clone());
        metrics
    }

    /// Sets the current state of the endpoints and of parked subscriptions; missing ones are removed.
    pub fn set(&self, endpoints: &[EndpointGauges], parked: &[ParkedGauges]) {
        let as_gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.is_healthy.clear();
        self.pending.clear();
        self.parked.clear();
        self.dead.clear();
        self.mean.clear();
        self.quantiles.clear();
        self.names.clear();
        for endpoint in endpoints {
            let labels = EndpointLabels { subscription: endpoint.subscription.clone() };
            if let Some(is_healthy) = endpoint.is_healthy {
                self.is_healthy.get_or_create(&labels).set(i64::from(is_healthy));
            }
            self.pending.get_or_create(&labels).set(as_gauge(endpoint.pending));
            self.parked.get_or_create(&labels).set(0);
            self.dead.get_or_create(&labels).set(as_gauge(endpoint.dead));
            if let Some(mean_s) = endpoint.mean_s {
                self.mean.get_or_create(&labels).set(mean_s);
            }
            let named =
                NameLabels { subscription: endpoint.subscription.clone(), name: endpoint.name.clone() };
            self.names.get_or_create(&named).set(1);
            for (quantile, seconds) in
                ["0.5", "0.95", "0.99"].into_iter().zip(endpoint.percentiles_s.into_iter().flatten())
            {
                let labels = QuantileLabels { subscription: endpoint.subscription.clone(), quantile };
                self.quantiles.get_or_create(&labels).set(seconds);
            }
        }
        for parked_one in parked {
            let labels = EndpointLabels { subscription: parked_one.subscription.clone() };
            self.parked.get_or_create(&labels).set(as_gauge(parked_one.parked));
            self.dead.get_or_create(&labels).set(as_gauge(parked_one.dead));
        }
    }

    /// Counts an attempt.
    pub fn attempt(&self, attempt: &Attempt) {
        let outcome = match (attempt.is_success(), attempt.error) {
            (true, _) => "success",
            (false, Some(error)) => error.as_str(),
            (false, None) => "status",
        };
        self.attempts.get_or_create(&AttemptLabels { subscription: attempt.target.clone(), outcome }).inc();
        if attempt.number > 1 {
            self.retries.inc();
        }
        if attempt.status.is_some() {
            self.attempt_time.observe(std::time::Duration::from_micros(attempt.duration_us).as_secs_f64());
        }
    }

    /// Counts an event on which a subscription's filter or template failed.
    pub fn evaluation_failed(&self, subscription: &str, part: &'static str) {
        let labels = EvaluationLabels { subscription: subscription.to_owned(), part };
        self.evaluation_failures.get_or_create(&labels).inc();
    }

    /// Counts a finished message.
    pub fn message(&self, status: &'static str) {
        self.messages(status, 1);
    }

    /// Counts finished messages.
    pub fn messages(&self, status: &'static str, count: u64) {
        self.messages.get_or_create(&MessageLabels { status }).inc_by(count);
    }
}
