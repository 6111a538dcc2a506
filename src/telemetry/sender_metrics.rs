//! Counters of what is sent.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
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
struct MessageLabels {
    status: &'static str,
}

/// The counters of the sender.
#[derive(Clone, Debug)]
pub struct SenderMetrics {
    attempts: Family<AttemptLabels, Counter>,
    retries: Counter,
    messages: Family<MessageLabels, Counter>,
    attempt_time: Histogram,
}

impl SenderMetrics {
    /// Counters that are shown by `registry`.
    pub fn registered(registry: &mut Registry) -> Self {
        let metrics = Self {
            attempts: Family::default(),
            retries: Counter::default(),
            messages: Family::default(),
            attempt_time: Histogram::new(BUCKETS_S),
        };
        registry.register(
            "attempts",
            "Attempts to send, by subscription and outcome",
            metrics.attempts.clone(),
        );
        registry.register("retries", "Attempts after a message's first", metrics.retries.clone());
        registry.register("messages_finished", "Messages that are over, by status", metrics.messages.clone());
        let help = "Time of an attempt that got an answer";
        registry.register_with_unit("attempt_time", help, Unit::Seconds, metrics.attempt_time.clone());
        metrics
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

    /// Counts a message that is over.
    pub fn message(&self, status: &'static str) {
        self.messages.get_or_create(&MessageLabels { status }).inc();
    }
}
