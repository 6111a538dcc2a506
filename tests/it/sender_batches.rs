//! Batches: their order through retries, their bytes, and an endpoint that finds them too large.

use serde_json::{Value, json};

use crate::harness::{Reply, Request, Server, Sink, until};

/// A body with more bytes is too large.
const MOST: usize = 3_000;

fn batches(sink: &Sink, batch: Value, more: Value) -> Value {
    let mut subscription = json!({
        "name": "batches", "url": sink.url("/"), "events": ["*"], "batch": batch,
        "retry_policy": {"max_attempts": 3, "backoff": "fixed", "base": "100ms"},
    });
    for (key, value) in more.as_object().unwrap() {
        subscription[key] = value.clone();
    }
    subscription
}

fn event(at: usize, bytes: usize) -> Value {
    json!({"event": "made.up", "id": format!("c{at}"), "timestamp": "2026-03-09T07:14:58Z", "text": "x".repeat(bytes)})
}

fn ids(request: &Request) -> Vec<String> {
    let body = request.json();
    body.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn first(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("c{at}")).collect()
}

/// Every id of these batches, each once; a batch has its events in the order in which they came.
fn each_in_order(requests: &[Request]) -> Vec<String> {
    let number = |id: &String| id[1..].parse::<u32>().unwrap();
    let mut all = Vec::new();
    for request in requests {
        let own = ids(request);
        assert!(own.is_sorted_by_key(number), "{own:?}");
        all.extend(own);
    }
    all.sort_by_key(number);
    all
}

/// Takes what is small enough.
fn small_only() -> Sink {
    Sink::scripted(|request, _| Reply::Status(if request.body.len() > MOST { 413 } else { 200 }))
}

#[test]
fn a_batch_that_is_retried_keeps_its_order() {
    let server = Server::start();
    let sink = Sink::scripted(|_, before| Reply::Status(if before < 2 { 500 } else { 200 }));
    server.subscribe(&batches(&sink, json!({"size": 10, "flush_interval_ms": 3_600_000}), json!({})));
    for at in 0..10 {
        server.publish(&event(at, 1));
    }
    for request in sink.wait_for(3) {
        assert_eq!(ids(&request), first(10));
    }
    until("the deliveries", || server.messages("status=delivered").len() == 10);
}

#[test]
fn a_batch_that_is_too_large_is_halved_until_it_is_taken() {
    let server = Server::start();
    let sink = small_only();
    server.subscribe(&batches(&sink, json!({"size": 20, "flush_interval_ms": 600}), json!({})));
    for at in 0..20 {
        server.publish(&event(at, 400));
    }
    until("all of them", || server.messages("status=delivered").len() == 20);
    let (taken, refused): (Vec<Request>, Vec<Request>) =
        sink.seen().into_iter().partition(|request| request.body.len() <= MOST);
    assert_eq!(each_in_order(&taken), first(20));
    assert_eq!(ids(&refused[0]), first(20));
    assert!(refused[1..].iter().all(|request| ids(request).len() <= 10), "halves");
    assert!(refused.len() <= 4, "{}", refused.len());
    assert_eq!(server.dead_letters("").len(), 0);
    let id = server.messages("")[0]["id"].as_str().unwrap().to_owned();
    let attempts = server.api(&format!("messages/{id}"))["attempts"].clone();
    let statuses: Vec<u64> =
        attempts.as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert!(statuses.len() >= 2 && statuses[0] == 413 && statuses.last() == Some(&200), "{statuses:?}");
    let detail = attempts[0]["error_detail"].as_str().unwrap();
    assert!(detail.contains("the batch of 20 events") && detail.contains("does not count"), "{detail}");
}

#[test]
fn one_event_that_is_too_large_by_itself_dies_alone_and_its_replay_takes_nobody_with_it() {
    let server = Server::start();
    let sink = small_only();
    server.subscribe(&batches(&sink, json!({"size": 4, "flush_interval_ms": 300}), json!({})));
    for at in 0..4 {
        server.publish(&event(at, if at == 1 { MOST } else { 400 }));
    }
    until("the dead letter", || server.dead_letters("").len() == 1);
    until("the others", || server.messages("status=delivered").len() == 3);
    let letter = server.dead_letters("").remove(0);
    assert_eq!((&letter["event_id"], &letter["error"]), (&json!("c1"), &json!("HTTP 413")));
    server.publish(&event(4, 400));
    assert_eq!(server.tell("POST", "dead-letters/replay", &json!({})).status, 202);
    until("the fourth", || server.messages("status=delivered").len() == 4);
    until("the letter again", || server.dead_letters("").len() == 1);
}

#[test]
fn dead_letters_of_a_hopeless_batch_arrive_when_they_are_replayed() {
    let server = Server::start();
    let sink = Sink::scripted(|request, before| {
        let is_taken = before >= 3 && request.body.len() <= MOST;
        Reply::Status(if is_taken {
            200
        } else if before < 3 {
            500
        } else {
            413
        })
    });
    server.subscribe(&batches(&sink, json!({"size": 20, "flush_interval_ms": 300}), json!({})));
    for at in 0..20 {
        server.publish(&event(at, 400));
    }
    until("all dead", || server.dead_letters("").len() == 20);
    assert_eq!(server.tell("POST", "dead-letters/replay", &json!({})).status, 202);
    until("all of them", || server.messages("status=delivered").len() == 20);
    assert_eq!(server.dead_letters("").len(), 0);
}

#[test]
fn a_batch_has_a_limit_in_bytes_and_a_larger_event_goes_alone() {
    let server = Server::start();
    let sink = Sink::start();
    let batch = json!({"size": 100, "flush_interval_ms": 300, "max_bytes": "2 KiB"});
    let id = server.subscribe(&batches(&sink, batch, json!({})));
    for at in 0..12 {
        server.publish(&event(at, if at == 5 { 5_000 } else { 400 }));
    }
    until("all of them", || server.messages("status=delivered").len() == 12);
    let seen = sink.seen();
    assert_eq!(each_in_order(&seen), first(12));
    for request in &seen {
        let alone = ids(request) == ["c5"];
        assert!(alone || request.body.len() <= 2_048, "{}", request.body.len());
    }
    assert_eq!(server.api(&format!("subscriptions/{id}"))["batch"]["max_bytes"], 2_048);
    let wrong = batches(&sink, json!({"max_bytes": "17 MiB"}), json!({}));
    let refused = server.tell("POST", "subscriptions", &wrong);
    assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (400, &json!("/batch/max_bytes")));
}
