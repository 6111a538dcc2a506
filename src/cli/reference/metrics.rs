//! The metrics, as the registry has them.

use std::collections::BTreeSet;

use regex::Regex;

use super::{check, plain, table};
use crate::telemetry::{full_exposition, registered_helps};

/// A metric of the text format.
#[derive(Default)]
struct Metric {
    name: String,
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

fn metrics(exposition: &str) -> Vec<Metric> {
    let label = Regex::new(r#"([a-z_]+)=""#).unwrap();
    let mut found: Vec<Metric> = Vec::new();
    for line in exposition.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            let help = help.trim_end_matches('.').to_owned();
            found.push(Metric { name: name.to_owned(), help, ..Metric::default() });
        } else if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            found.last_mut().unwrap().kind = kind.to_owned();
        } else if !line.starts_with('#') {
            let labels = label.captures_iter(line).map(|found| found[1].to_owned());
            found.last_mut().unwrap().labels.extend(labels.filter(|label| label != "le"));
        }
    }
    found
}

#[test]
fn the_reference_has_every_metric_with_its_labels() {
    let metrics = metrics(&full_exposition());
    let told: BTreeSet<&str> = metrics.iter().map(|metric| metric.help.as_str()).collect();
    let missing: Vec<String> =
        registered_helps().into_iter().filter(|help| !told.contains(help.as_str())).collect();
    assert!(missing.is_empty(), "metrics without a sample: {missing:#?}");
    let rows: Vec<Vec<String>> = metrics
        .iter()
        .map(|metric| {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            vec![format!("`{}`", metric.name), metric.kind.clone(), labels.join(", "), plain(&metric.help)]
        })
        .collect();
    assert!(rows.len() > 30, "{}", rows.len());
    let text = format!(
        "# Metrics\n\n`GET /metrics` on the inspector's port, in the Prometheus text format 0.0.4 or OpenMetrics 1.0, by \
         `Accept`. The order of the series is stable. [Operate](../guide/operate.md#watch-it) has a scrape configuration, \
         alerts and a dashboard.\n\nMetrics with the prefix `process_` exist on Linux only. A metric with labels appears \
         as soon as it has a value. `tagohook_store_connections` and `tagohook_store_failovers_total` have values with PostgreSQL \
         only.\n\n{}",
        table(&["metric", "type", "labels", "meaning"], &rows)
    );
    check("metrics.md", &text);
}
