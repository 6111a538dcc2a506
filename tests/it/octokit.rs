//! The 329 payloads of GitHub's own examples, through a `github` source.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{SECRET, Setup, hmac_hex};

#[test]
fn every_payload_that_github_publishes_is_taken_under_its_event() {
    let file = "tests/data/node_modules/@octokit/webhooks-examples/api.github.com/index.json";
    let text =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("./test installs the payloads");
    let events: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let config = "[receiver]\nmax_body = \"1 MiB\"\n[[source]]\nname = \"github\"\nsecrets = [\"file:signing-secret\"]\nsignature = \"github\"\n";
    let server = Setup::new(config).start();
    let mut bodies = HashSet::new();
    let mut seen = 0;
    for event in &events {
        let name = event["name"].as_str().unwrap();
        for example in event["examples"].as_array().unwrap() {
            let body = serde_json::to_string_pretty(example).unwrap();
            let id = format!("delivery-{seen}");
            let signature = format!("sha256={}", hmac_hex(SECRET.as_bytes(), body.as_bytes()));
            let headers = [
                ("Content-Type", "application/json"),
                ("X-GitHub-Event", name),
                ("X-GitHub-Delivery", id.as_str()),
                ("X-Hub-Signature-256", signature.as_str()),
            ];
            let answer = server.post("/webhook/github", &headers, body.as_bytes());
            let expected = if bodies.insert(body) { "processed" } else { "already_processed" };
            assert_eq!((answer.status, answer.word().as_str()), (200, expected), "{name} {seen}");
            assert_eq!(answer.json()["event_id"], id.as_str());
            seen += 1;
        }
        assert_eq!(server.deliveries("")[0]["event_type"], name);
    }
    assert_eq!(seen, 329);
    assert_eq!(server.deliveries("").len(), 329);
}
