//! `/metrics` in both text formats.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::harness::{Server, Sink, exchange, login};

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
        (None, OPEN),
        (Some("*/*"), OPEN),
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
    assert!(text.contains("name=\"a \\\"quoted\\\" \\\\ name\""), "{text}");
}

#[test]
fn two_scrapes_have_their_series_in_the_same_order() {
    let (server, _sink) = busy();
    let names = |accept: &str| -> Vec<String> {
        let (_, text) = scrape(&server, Some(accept));
        text.lines().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    for accept in ["text/plain", "application/openmetrics-text"] {
        let first = names(accept);
        assert!(first.len() > 40, "{first:?}");
        for _ in 0..5 {
            assert_eq!(names(accept), first);
        }
    }
}
