//! The text formats of `/metrics`: OpenMetrics 1.0, and the Prometheus text format 0.0.4 for older scrapers.
//!
//! The library writes OpenMetrics with the series of a metric in random order. They are sorted here, so that two
//! scrapes can be compared, and converted to the older format on request.

/// A text format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus text format 0.0.4.
    Prometheus,
}

impl Exposition {
    /// Its `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// A metric with its series, as OpenMetrics writes it.
#[derive(Default)]
struct Metric<'t> {
    name: &'t str,
    kind: &'t str,
    help: &'t str,
    unit: Option<&'t str>,
    samples: Vec<&'t str>,
}

/// `open_metrics` in the requested format.
pub fn written(open_metrics: &str, exposition: Exposition) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    for mut metric in metrics(open_metrics) {
        metric.samples.sort_by_cached_key(|sample| series(sample));
        let name = metric.name_in(exposition);
        let kind = metric.kind_in(exposition);
        text.push_str(&format!("# HELP {name} {}\n# TYPE {name} {kind}\n", metric.help));
        if let (Some(unit), Exposition::OpenMetrics) = (metric.unit, exposition) {
            text.push_str(&format!("# UNIT {name} {unit}\n"));
        }
        for sample in &metric.samples {
            text.push_str(sample);
            text.push('\n');
        }
    }
    if exposition == Exposition::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

impl Metric<'_> {
    /// The older format uses the sample names for counters and infos.
    fn name_in(&self, exposition: Exposition) -> String {
        let end = match (exposition, self.kind) {
            (Exposition::Prometheus, "counter") => "_total",
            (Exposition::Prometheus, "info") => "_info",
            _ => "",
        };
        format!("{}{end}", self.name)
    }

    /// The library has no summaries, so a gauge with quantiles becomes one. The older format has no infos.
    fn kind_in(&self, exposition: Exposition) -> &str {
        match (exposition, self.kind) {
            (_, "gauge") if self.samples.iter().any(|sample| sample.contains("quantile=\"")) => "summary",
            (Exposition::Prometheus, "info") => "gauge",
            (Exposition::Prometheus, "unknown") => "untyped",
            (_, kind) => kind,
        }
    }
}

fn metrics(text: &str) -> Vec<Metric<'_>> {
    let mut metrics: Vec<Metric<'_>> = Vec::new();
    for line in text.lines() {
        let comment = line.strip_prefix("# ").and_then(|rest| {
            let mut words = rest.splitn(3, ' ');
            Some((words.next()?, words.next()?, words.next().unwrap_or_default()))
        });
        match (comment, metrics.last_mut()) {
            (Some(("HELP", name, help)), _) => metrics.push(Metric { name, help, ..Metric::default() }),
            (Some(("TYPE", _, kind)), Some(metric)) => metric.kind = kind,
            (Some(("UNIT", _, unit)), Some(metric)) => metric.unit = Some(unit),
            (None, Some(metric)) if !line.starts_with('#') => metric.samples.push(line),
            _ => {}
        }
    }
    metrics
}

/// The labels that identify a series: all except a bucket's bound. A histogram's buckets, sum and count therefore stay
/// together and in order.
fn series(sample: &str) -> String {
    let Some((name, labels)) = sample.split_once('{') else { return String::new() };
    let labels = labels.rsplit_once('}').map_or(labels, |(labels, _)| labels);
    // The library writes the bound after the other labels.
    let before = labels.rsplit_once("le=\"").filter(|_| name.ends_with("_bucket")).map(|(before, _)| before);
    before.unwrap_or(labels).trim_end_matches(',').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# HELP a Of a.
# TYPE a counter
a_total{x=\"2\"} 1
a_total{x=\"1 # {\\\"}\"} 2
# HELP b_seconds Of b.
# TYPE b_seconds histogram
# UNIT b_seconds seconds
b_seconds_sum{s=\"2\"} 1.0
b_seconds_count{s=\"2\"} 1
b_seconds_bucket{s=\"2\",le=\"0.5\"} 0
b_seconds_bucket{s=\"2\",le=\"+Inf\"} 1
b_seconds_sum{s=\"1\"} 1.0
b_seconds_bucket{s=\"1\",le=\"10.0\"} 1
b_seconds_bucket{s=\"1\",le=\"+Inf\"} 1
# HELP build Of build.
# TYPE build info
build_info{version=\"1\"} 1
# HELP q Of q.
# TYPE q gauge
q{quantile=\"0.5\"} 1.0
# HELP nothing Of nothing.
# TYPE nothing gauge
# EOF
";

    #[test]
    fn the_series_are_sorted_and_a_histogram_keeps_together() {
        assert_eq!(
            written(TEXT, Exposition::OpenMetrics),
            "\
# HELP a Of a.
# TYPE a counter
a_total{x=\"1 # {\\\"}\"} 2
a_total{x=\"2\"} 1
# HELP b_seconds Of b.
# TYPE b_seconds histogram
# UNIT b_seconds seconds
b_seconds_sum{s=\"1\"} 1.0
b_seconds_bucket{s=\"1\",le=\"10.0\"} 1
b_seconds_bucket{s=\"1\",le=\"+Inf\"} 1
b_seconds_sum{s=\"2\"} 1.0
b_seconds_count{s=\"2\"} 1
b_seconds_bucket{s=\"2\",le=\"0.5\"} 0
b_seconds_bucket{s=\"2\",le=\"+Inf\"} 1
# HELP build Of build.
# TYPE build info
build_info{version=\"1\"} 1
# HELP q Of q.
# TYPE q summary
q{quantile=\"0.5\"} 1.0
# HELP nothing Of nothing.
# TYPE nothing gauge
# EOF
"
        );
    }

    #[test]
    fn the_older_format_names_counters_and_infos_as_their_samples_and_has_no_units_and_no_end() {
        let text = written(TEXT, Exposition::Prometheus);
        for line in [
            "# HELP a_total Of a.",
            "# TYPE a_total counter",
            "# TYPE build_info gauge",
            "# TYPE b_seconds histogram",
        ] {
            assert!(text.lines().any(|own| own == line), "{line} is not in {text}");
        }
        assert!(!text.contains("UNIT") && !text.contains("EOF") && text.ends_with('\n'), "{text}");
    }
}
