//! The system's clock is set while the program runs: under libfaketime, which is what the package `faketime` holds.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Setup, Sink, standard_webhooks, until};

/// Far more than anything here should take, far less than the hour by which the clock is set.
const SOON: Duration = Duration::from_secs(60);

const CONFIG: &str = r#"
[store]
keep_deliveries = "1h"

[[source]]
name = "tagorun"
signature = "none"
silence_after = "4s"

[[source]]
name = "timed"
signature = "standard-webhooks"
secrets = ["file:signing-secret"]
"#;

fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    let found =
        folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
    found.expect("the package faketime is not installed; ./test installs it")
}

/// A server whose wall clock is set by writing into a file. What counts the time that passes is left alone.
fn start() -> Server {
    let setup = Setup::new(CONFIG);
    setup.file("wall", "+0");
    let wall = setup.data_dir().join("wall");
    setup
        .env("LD_PRELOAD", library().to_str().unwrap())
        .env("FAKETIME_TIMESTAMP_FILE", wall.to_str().unwrap())
        .env("FAKETIME_NO_CACHE", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .start()
}

fn set_wall(server: &Server, by: &str) {
    std::fs::write(server.data_dir().join("wall"), by).unwrap();
}

fn event(id: &str) -> Value {
    json!({"event": "made.up", "id": id, "timestamp": "2026-03-09T07:14:58Z"})
}

fn hear(server: &Server, device: &str) {
    let body = json!({"event": "device.seen", "id": format!("of {device}"), "device": {"id": device}});
    let answer = server.post("/webhook/tagorun", &[], body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

/// An endpoint that fails twice; its messages are tried again after two seconds, then after three.
fn retries(server: &Server) -> Sink {
    let sink = Sink::scripted(|_, before| Reply::Status(if before < 2 { 500 } else { 200 }));
    server.subscribe(&json!({
        "name": "retries", "url": sink.url("/"), "events": ["made.up"],
        "retry_policy": {"backoff": "schedule", "delays": ["2s", "3s"], "jitter": false},
    }));
    sink
}

fn silences(server: &Server) -> Sink {
    let sink = Sink::start();
    server.subscribe(&json!({"name": "silences", "url": sink.url("/"), "events": ["device.silent"]}));
    sink
}

#[test]
fn a_clock_set_back_an_hour_holds_up_no_retry_no_rate_and_no_silence() {
    let server = start();
    let (retried, silent, rated) = (retries(&server), silences(&server), Sink::start());
    server.subscribe(&json!({
        "name": "rated", "url": rated.url("/"), "events": ["made.up"],
        "rate_limit": {"max_requests": 1, "window_ms": 1500},
    }));
    hear(&server, "d1");
    server.publish(&event("e1"));
    server.publish(&event("e2"));
    server.publish(&event("e3"));
    retried.wait_for(2);
    set_wall(&server, "-3600");
    let set = Instant::now();
    until("the step is noticed", || server.log().contains("the system clock was set"));
    let waiting = server.messages("status=pending");
    for message in &waiting {
        let (next, made) = (&message["next_attempt_at"], &message["created_at"]);
        assert!(next.as_str() < made.as_str(), "people see the wall clock: {message}");
    }
    until("all three", || server.messages("status=delivered").len() >= 6);
    silent.wait_for(1);
    assert!(set.elapsed() < SOON, "{:?}", set.elapsed());
    assert_eq!(rated.count(), 3);
    assert_eq!(server.log().matches("the system clock was set").count(), 1, "it is told once");
}

#[test]
fn a_clock_set_forward_a_day_sends_nothing_twice_and_makes_nobody_silent_and_nothing_old() {
    let server = start();
    let slow = Sink::scripted(|_, _| Reply::Slow(Duration::from_secs(6), 200));
    let (silent, later) = (silences(&server), Sink::scripted(|_, _| Reply::Status(500)));
    server.subscribe(&json!({"name": "slow", "url": slow.url("/"), "events": ["made.up"]}));
    server.subscribe(&json!({
        "name": "later", "url": later.url("/"), "events": ["made.up"],
        "retry_policy": {"max_attempts": 3, "backoff": "fixed", "base": "1h"},
    }));
    server.publish(&event("e1"));
    slow.wait_for(1);
    later.wait_for(1);
    hear(&server, "d1");
    set_wall(&server, "+86400");
    until("the step is noticed", || server.log().contains("the system clock was set"));
    hear(&server, "d2");
    assert_eq!(silent.count(), 0, "both were heard of just now");
    until("the slow one", || server.messages("status=delivered").iter().any(|one| one["event_id"] == "e1"));
    assert_eq!((slow.count(), later.count()), (1, 1), "no storm, and what was under way was sent once");
    silent.wait_for(2);
    assert_eq!(server.deliveries("").len(), 2, "retention has looked meanwhile, and removed nothing");
}

#[test]
fn after_a_restart_nothing_waits_for_the_clock_to_catch_up() {
    for is_running in [true, false] {
        let server = start();
        let retried = retries(&server);
        server.publish(&event("e1"));
        retried.wait_for(2);
        if is_running {
            set_wall(&server, "-3600");
            until("the step is noticed", || server.log().contains("the system clock was set"));
        }
        let mut server = server;
        server.stop();
        set_wall(&server, "-3600");
        let server = server.start_again();
        let started = Instant::now();
        retried.wait_for(3);
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        until("the delivery", || server.messages("status=delivered").len() == 1);
    }
}

#[test]
fn a_signature_is_judged_by_the_wall_clock_also_after_it_was_set() {
    let server = start();
    set_wall(&server, "+86400");
    let real = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let body = br#"{"type":"made.up","data":{}}"#;
    for (id, time, status) in [("msg_1", real, 401), ("msg_2", real + 86_400, 200)] {
        let signature = standard_webhooks(crate::harness::SECRET.as_bytes(), id, time, body);
        let time = time.to_string();
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", time.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        assert_eq!(server.post("/webhook/timed", &headers, body).status, status, "{id}");
    }
    let received = server.newest()["received_at"].as_str().unwrap().to_owned();
    let before = server.messages("");
    assert!(before.is_empty());
    let tomorrow = jiff::Timestamp::from_second(real + 86_000).unwrap().to_string();
    assert!(received > tomorrow, "{received} is the wall clock's");
}
