//! The 329 payloads of GitHub's own examples, through a `github` source.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Answer, SECRET, Server, Setup, hmac_hex};

const CONFIG: &str = r#"
[receiver]
max_body = "1 MiB"
[[source]]
name = "github"
secrets = ["file:signing-secret"]
signature = "github"
"#;

#[test]
fn every_payload_that_github_publishes_is_taken_under_its_event() {
    let server = Setup::new(CONFIG).start();
    let payloads = payloads();
    let mut first_ids = HashMap::new();
    for (at, (event, body)) in payloads.iter().enumerate() {
        let id = format!("delivery-{at}");
        let answer = post(&server, event, &id, body);
        let expected = if first_ids.contains_key(body) { "already_processed" } else { "processed" };
        assert_eq!((answer.status, answer.word().as_str()), (200, expected), "{event} {at}");
        assert_eq!(answer.json()["event_id"], id.as_str());

        let row = &server.api("deliveries?limit=1")["deliveries"][0];
        assert_eq!((&row["id"], &row["event_type"]), (&answer.json()["delivery_id"], &Value::from(&**event)));
        let own = row["id"].as_str().unwrap().to_owned();
        assert_eq!(server.raw(&own), body.as_bytes());
        let first = first_ids.entry(body).or_insert_with(|| own.clone());
        let expected = if *first == own { Value::Null } else { Value::from(first.as_str()) };
        assert_eq!(row["duplicate_of"], expected, "{event} {at}");
    }
    assert_eq!((payloads.len(), first_ids.len()), (329, 324), "five are there twice");
    assert_eq!(server.deliveries("verdict=accepted").len(), 324);
    assert_eq!(server.deliveries("verdict=duplicate").len(), 5);
}

#[test]
fn a_replay_of_them_under_new_ids_makes_nothing_new_after_a_restart_either() {
    let server = Setup::new(CONFIG).start();
    let payloads = payloads();
    for (at, (event, body)) in payloads.iter().enumerate() {
        assert_eq!(post(&server, event, &format!("first-{at}"), body).status, 200);
    }
    let server = server.stop_and_restart(None);
    for (at, (event, body)) in payloads.iter().enumerate() {
        let answer = post(&server, event, &format!("second-{at}"), body);
        assert_eq!(answer.word(), "already_processed", "{event} {at}");
        let changed = body.replacen('{', "{ ", 1);
        let signature = format!("sha256={}", hmac_hex(SECRET.as_bytes(), body.as_bytes()));
        let headers = [("X-GitHub-Event", event.as_str()), ("X-Hub-Signature-256", &signature)];
        assert_eq!(server.post("/webhook/github", &headers, changed.as_bytes()).status, 401, "{event} {at}");
    }
    assert_eq!(server.all_deliveries("verdict=accepted").len(), 324);
}

/// Posts a payload as GitHub does.
fn post(server: &Server, event: &str, id: &str, body: &str) -> Answer {
    let signature = format!("sha256={}", hmac_hex(SECRET.as_bytes(), body.as_bytes()));
    let headers = [
        ("Content-Type", "application/json"),
        ("User-Agent", "GitHub-Hookshot/044aadd"),
        ("X-GitHub-Event", event),
        ("X-GitHub-Delivery", id),
        ("X-Hub-Signature-256", &signature),
    ];
    server.post("/webhook/github", &headers, body.as_bytes())
}

/// Event names and payloads, in the order of the package.
fn payloads() -> Vec<(String, String)> {
    let file = "tests/data/node_modules/@octokit/webhooks-examples/api.github.com/index.json";
    let text =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("./test installs the payloads");
    let events: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let mut payloads = Vec::new();
    for event in &events {
        for example in event["examples"].as_array().unwrap() {
            let body = serde_json::to_string_pretty(example).unwrap();
            payloads.push((event["name"].as_str().unwrap().to_owned(), body));
        }
    }
    payloads
}
