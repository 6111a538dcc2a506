//! `/metrics` in both text formats.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::harness::{Server, Setup, Sink, exchange, login, until};

const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

fn scrape(server: &Server, accept: Option<&str>) -> (String, String) {
    let headers: Vec<(&str, &str)> = accept.into_iter().map(|accept| ("Accept", accept)).collect();
    let answer = exchange(server.inspector, "GET", "/metrics", &headers, b"");
    assert_eq!(answer.status, 200);
    (answer.header("content-type").unwrap().to_owned(), String::from_utf8(answer.body).unwrap())
}

/// A server with something in most of its metrics.
fn busy() -> (Server, Sink) {
    let server = Server::start();
    let sink = Sink::start();
    for name in ["one", "a \"quoted\" \\ name", "three"] {
        server.subscribe(&json!({"name": name, "url": sink.url("/"), "events": ["*"]}));
    }
    for count in 0..5 {
        server.post_signed(login(&format!("evt_{count}")).as_bytes());
        server.ask("POST", "/webhook-test", &[]);
        server.ask("DELETE", "/webhook/tagorun", &[]);
        server.post("/webhook/tagorun", &[], b"{}");
        server.post("/webhook/nobody", &[], b"{}");
    }
    sink.wait_for(15);
    (server, sink)
}

#[test]
fn the_format_is_what_the_scraper_likes_best() {
    let server = Server::start();
    for (accept, content_type) in [
        (None, CLASSIC),
        (Some("*/*"), CLASSIC),
        (Some("text/plain"), CLASSIC),
        (Some("text/plain;version=0.0.4"), CLASSIC),
        (Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), CLASSIC),
        (Some("application/openmetrics-text"), OPEN),
        (
            Some(
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            ),
            OPEN,
        ),
        (Some("application/openmetrics-text;q=0.1, text/plain;q=0.9"), CLASSIC),
    ] {
        let (found, text) = scrape(&server, accept);
        assert_eq!(found, content_type, "{accept:?}");
        assert_eq!(text.ends_with("# EOF\n"), content_type == OPEN, "{accept:?}");
    }
}

/// The name of the series of a sample.
fn name(sample: &str) -> &str {
    sample.split(['{', ' ']).next().unwrap()
}

#[test]
fn the_older_format_has_a_help_text_and_a_type_for_every_sample() {
    let (server, _sink) = busy();
    let (_, text) = scrape(&server, Some("text/plain"));
    let mut types = BTreeMap::new();
    let mut helped = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(types.insert(name, kind), None, "{name} has two types");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            helped.insert(rest.split_once(' ').unwrap().0);
        } else {
            let name = name(line);
            let family = ["_bucket", "_sum", "_count"].into_iter().find_map(|end| name.strip_suffix(end));
            let family = family.filter(|family| types.get(family) == Some(&"histogram")).unwrap_or(name);
            assert!(types.contains_key(family) && helped.contains(family), "{line}");
            let is_summary = types.get(family) == Some(&"summary");
            assert_eq!(line.contains("quantile="), is_summary, "only a summary has quantiles: {line}");
        }
    }
    assert_eq!(types["tagohook_deliveries_total"], "counter");
    assert_eq!(types["tagohook_build_info"], "gauge");
    assert_eq!(types["tagohook_response_time_seconds"], "summary");
    assert!(text.contains(&format!("tagohook_build_info{{version=\"{}\"}} 1\n", env!("CARGO_PKG_VERSION"))));
    for name in ["process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds"] {
        assert_eq!(types[name], "gauge");
    }
    assert_eq!(types["process_cpu_seconds_total"], "counter");
    assert!(
        text.contains("tagohook_subscription_info{") && text.contains("name=\"a \\\"quoted\\\" \\\\ name\""),
        "{text}"
    );
}

#[test]
fn two_scrapes_have_their_series_in_the_same_order() {
    let (server, _sink) = busy();
    let names = |accept: &str| -> Vec<String> {
        let (_, text) = scrape(&server, Some(accept));
        text.lines().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    // What was found out about an endpoint comes after its first look.
    let endpoints =
        || names("text/plain").iter().filter(|name| name.starts_with("tagohook_endpoint_healthy{")).count();
    until("every endpoint is looked at", || endpoints() == 3);
    for accept in ["text/plain", "application/openmetrics-text"] {
        let first = names(accept);
        assert!(first.len() > 40, "{first:?}");
        for _ in 0..5 {
            assert_eq!(names(accept), first);
        }
    }
}

#[test]
fn each_source_says_when_it_last_received_and_rejected_also_after_a_restart() {
    let (server, _sink) = busy();
    let value = |text: &str, series: &str| -> Option<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{series} ")));
        line.map(|value| value.parse().unwrap())
    };
    let last = "tagohook_last_delivery_timestamp_seconds{source=\"tagorun\"}";
    let (_, text) = scrape(&server, None);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let at = value(&text, last).unwrap();
    assert!((now - at).abs() < 600.0, "{at} is not about {now}");
    assert!(
        value(&text, "tagohook_last_rejection_timestamp_seconds{source=\"tagorun\"}").is_some(),
        "{text}"
    );
    assert!(text.contains("tagohook_answer_time_seconds_count{source=\"tagorun\"} 10"), "{text}");
    assert!(text.contains("tagohook_dead_letters{subscription="), "{text}");
    let server = server.stop_and_restart(None);
    let (_, text) = scrape(&server, None);
    assert_eq!(value(&text, last).map(f64::round), Some(at.round()), "known over a restart: {text}");
}

#[test]
fn devices_are_counted_by_source_with_those_that_are_silent() {
    let config = "[[source]]\nname = \"open\"\nsignature = \"none\"\nsilence_after = \"1s\"\n";
    let server = Setup::new(config).start();
    for device in ["d1", "d2"] {
        let body = json!({"event": "device.status_changed", "device": {"id": device}});
        assert_eq!(server.post("/webhook/open", &[], body.to_string().as_bytes()).status, 200);
    }
    until("both silences", || {
        scrape(&server, None).1.contains("tagohook_silent_devices{source=\"open\"} 2\n")
    });
    assert!(scrape(&server, None).1.contains("tagohook_devices{source=\"open\"} 2\n"));
}

#[test]
fn promtool_finds_nothing_to_complain_about() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // `./test` installs it; without it there is nothing to ask.
    let Ok(mut running) = promtool.spawn() else { return };
    let (server, _sink) = busy();
    let (_, text) = scrape(&server, Some("*/*"));
    running.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let told = running.wait_with_output().unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success() && words.is_empty(), "{words}");
}
