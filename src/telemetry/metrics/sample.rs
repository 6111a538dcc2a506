//! Every metric with a value, for the reference.

use std::time::Duration;

use bytes::Bytes;
use regex::Regex;

use super::{DeliveryLabels, DeviceGauges, Gauges, Metrics, NotKeptLabels, SourceLabels};
use crate::domain::{Attempt, Timestamp};
use crate::telemetry::{EndpointGauges, Exposition, ParkedGauges};

const SOURCE: &str = "tagorun";
const SUBSCRIPTION: &str = "ops";

fn full() -> Metrics {
    let metrics = Metrics::default();
    let source = SourceLabels { source: SOURCE.to_owned() };
    let labels = DeliveryLabels { source: SOURCE.to_owned(), verdict: "accepted", reason: "" };
    metrics.deliveries.get_or_create(&labels).inc();
    metrics.not_kept.get_or_create(&NotKeptLabels { cause: "path" }).inc();
    metrics.not_read.get_or_create(&NotKeptLabels { cause: "not_http" }).inc();
    metrics.answer_time.get_or_create(&source).observe(0.001);
    metrics.last_delivery.get_or_create(&source).set(1.0);
    metrics.last_rejection.get_or_create(&source).set(1.0);
    metrics.store.batch_written(1, Duration::from_millis(1));
    metrics.workers.panicked("sender");
    metrics.sender.evaluation_failed(SUBSCRIPTION, "filter");
    metrics.sender.message("delivered");
    metrics.sender.attempt(&Attempt {
        number: 2,
        target: SUBSCRIPTION.to_owned(),
        started_at: Timestamp::from_micros(0),
        duration_us: 1_000,
        status: Some(200),
        error: None,
        error_detail: None,
        response_headers: Vec::new(),
        response_body: Bytes::new(),
        response_truncated: false,
        missing: Vec::new(),
    });
    metrics
}

/// `/metrics` in the Prometheus text format, with a value of each metric.
pub fn full_exposition() -> String {
    let endpoint = EndpointGauges {
        subscription: SUBSCRIPTION.to_owned(),
        is_healthy: Some(true),
        mean_s: Some(0.1),
        percentiles_s: Some([0.1, 0.2, 0.3]),
        ..EndpointGauges::default()
    };
    let gauges = Gauges {
        connections: vec![("idle", 1)],
        endpoints: vec![endpoint],
        parked: vec![ParkedGauges { subscription: "gone".to_owned(), ..ParkedGauges::default() }],
        devices: vec![DeviceGauges { source: SOURCE.to_owned(), ..DeviceGauges::default() }],
        ..Gauges::default()
    };
    full().text(&gauges, Exposition::Prometheus)
}

/// The help of every metric in the registry, whether it has a value or not.
pub fn registered_helps() -> Vec<String> {
    let registry = format!("{:?}", Metrics::default().registry);
    let help = Regex::new(r#"help: "([^"]*)""#).unwrap();
    let found: Vec<String> =
        help.captures_iter(&registry).map(|found| found[1].trim_end_matches('.').to_owned()).collect();
    assert!(found.len() > 30, "the registry was not read: {registry}");
    found
}
