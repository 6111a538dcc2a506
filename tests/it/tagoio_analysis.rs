//! The Analysis in `examples/tagoio-analysis`, run under Node by TagoIO's own SDK as TagoIO runs it.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Reply, SECRET, Server, Sink, exchange};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/tagoio-analysis/analysis.js");

/// Runs the Analysis for `scope`: its exit code and its console.
fn run(environment: &Value, scope: &Value) -> (Option<i32>, String) {
    let mut node = Command::new("node");
    node.arg(SCRIPT)
        .env("NODE_PATH", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/node_modules"))
        .env("T_ANALYSIS_CONTEXT", "tago-io")
        .env("T_ANALYSIS_TOKEN", "a-token")
        .env("T_ANALYSIS_ID", "5f5a8f3c351d99001be77b7a")
        .env("T_ANALYSIS_ENV", environment.to_string())
        .env("T_ANALYSIS_DATA", scope.to_string());
    let done = node.output().unwrap();
    let words = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.code(), words)
}

fn environment(url: &str, secret: &str, event: &str) -> Value {
    json!([
        {"key": "TAGOHOOK_URL", "value": url},
        {"key": "TAGOHOOK_SECRET", "value": secret},
        {"key": "TAGOHOOK_EVENT", "value": event},
    ])
}

fn points() -> Value {
    let point = |id: &str, variable: &str, value: Value| {
        json!({"id": id, "device": "63f0c1e2d4a5b60012345678", "variable": variable, "value": value, "unit": "°C",
               "group": "g1", "time": "2026-03-09T07:14:58.402Z", "created_at": "2026-03-09T07:14:58.410Z"})
    };
    json!([
        point("65eb6b4f1a2b3c0009876543", "temperature", json!(21.5)),
        point("65eb6b4f1a2b3c0009876544", "state", json!("Zürich <ok>"))
    ])
}

#[test]
fn its_deliveries_are_accepted_and_a_second_run_makes_nothing_new() {
    let server = Server::start();
    let url = format!("http://{}/webhook/tagorun", server.receiver);
    let light = || {
        let page = exchange(server.inspector, "GET", "/connect?for=analysis", &[], b"");
        let page = String::from_utf8(page.body).unwrap();
        page.split("data-state=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    assert_eq!(light(), "waiting");
    let plain = environment(&url, SECRET, "");
    let (code, words) = run(&plain, &points());
    assert_eq!(code, Some(0), "{words}");
    assert!(words.starts_with("data.received data-") && words.trim_end().ends_with(": processed"), "{words}");
    let row = server.newest();
    assert_eq!((&row["verdict"], &row["event_type"]), (&json!("accepted"), &json!("data.received")));
    assert!(row["checks"].to_string().contains("signed with file:signing-secret"), "{}", row["checks"]);
    let sent: Value = serde_json::from_slice(&server.raw(row["id"].as_str().unwrap())).unwrap();
    assert_eq!(sent["data"]["variables"], points(), "every point as it was");
    assert_eq!(
        (&sent["device"]["id"], &sent["timestamp"]),
        (&json!("63f0c1e2d4a5b60012345678"), &json!("2026-03-09T07:14:58.402Z"))
    );

    assert_eq!(light(), "arrived");
    let (code, words) = run(&plain, &points());
    assert!(code == Some(0) && words.contains("already_processed"), "{words}");
    let user = json!({"id": "63f0c1e2d4a5b60012345679", "name": "Zoë", "email": "zoe@example.com", "created_at": "2026-03-09T07:14:58.402Z"});
    let (code, words) = run(&plain, &json!([user]));
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(server.newest()["event_type"], "user.registration");
    for event in ["user.deletion_requested", "data.threshold"] {
        let scope = if event.starts_with("user") { json!([user]) } else { points() };
        let (code, words) = run(&environment(&url, SECRET, event), &scope);
        assert_eq!(code, Some(0), "{words}");
        assert_eq!(server.newest()["event_type"], event);
    }
    let (code, words) = run(&environment(&url, SECRET, "report.due"), &json!([]));
    assert!(code == Some(0) && words.contains("report.due run-"), "{words}");
    assert!(server.deliveries("verdict=rejected").is_empty());
}

#[test]
fn what_is_missing_or_wrong_is_said_in_its_console_and_the_run_fails() {
    let server = Server::start();
    let url = format!("http://{}/webhook/tagorun", server.receiver);
    for (environment, scope, said) in [
        (json!([]), points(), "Add the environment variable TAGOHOOK_URL and TAGOHOOK_SECRET"),
        (environment(&url, SECRET, ""), json!([]), "Add the environment variable TAGOHOOK_EVENT"),
        (environment(&url, "another-secret-0123456789", ""), points(), "answered 401"),
        (environment(&format!("{url}s"), SECRET, ""), points(), "answered 4"),
    ] {
        let (code, words) = run(&environment, &scope);
        assert_eq!(code, Some(1), "{words}");
        assert!(words.contains("Not delivered: ") && words.contains(said), "{said}: {words}");
        assert!(!words.contains("another-secret") && !words.contains(SECRET), "{words}");
    }
}

#[test]
fn a_pass_outage_is_tried_again_with_the_same_bytes() {
    let sink = Sink::scripted(|_, nth| match nth {
        0 => Reply::Status(503),
        _ => Reply::With(200, Vec::new(), "{\"status\":\"processed\"}".to_owned()),
    });
    let (code, words) = run(&environment(&sink.url("/webhook/tagorun"), SECRET, ""), &points());
    assert!(code == Some(0) && words.contains(": processed"), "{words}");
    let seen = sink.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (&seen[0].body, seen[0].header("x-tagorun-signature")),
        (&seen[1].body, seen[1].header("x-tagorun-signature"))
    );
}
