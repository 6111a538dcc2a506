//! Nothing on its way is lost: kills, stops, restarts.

use std::collections::HashSet;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Sink, until};

fn event(at: usize) -> Value {
    json!({"event": "made.up", "id": format!("e{at}"), "timestamp": "2026-03-09T07:14:58Z"})
}

/// An address where nobody listens yet.
fn free_address() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn five_thousand_messages_survive_an_outage_and_two_kills_and_keep_the_rate() {
    const MESSAGES: usize = 5_000;
    let mut server = Server::start();
    let address = free_address();
    server.subscribe(&json!({
        "name": "down", "url": format!("http://{address}/"), "events": ["*"],
        "rate_limit": {"max_requests": 600, "window_ms": 500},
        "retry_policy": {"max_attempts": 200, "backoff": "fixed", "base": "2s"},
    }));
    for at in 0..MESSAGES {
        assert_eq!(server.publish(&event(at)), 1);
        if at == MESSAGES / 2 || at == MESSAGES - 1 {
            server = server.kill_and_restart();
        }
    }
    let sink = Sink::at(address, |_, _| Reply::Status(200));
    until("the first", || sink.count() > 500);
    server = server.kill_and_restart();
    until("all of them", || sink.by_message().len() == MESSAGES);
    until("the end", || server.api("stats")["overall"]["pending_messages"] == 0);
    let seen = sink.seen();
    let events: HashSet<&str> = seen.iter().map(|request| request.header("x-tagorun-event-id")).collect();
    assert_eq!(events.len(), MESSAGES);
    let again = seen.len() - MESSAGES;
    assert!(again <= 64, "{again} came twice; only what was under way at the kill may");
    // They are written down a little later than they come, and then not in the order in which they came.
    let mut instants: Vec<_> = seen.iter().map(|request| request.at).collect();
    instants.sort();
    for (first, last) in instants.iter().zip(&instants[600..]) {
        let window = *last - *first;
        assert!(window > Duration::from_millis(500), "601 requests within {window:?}");
    }
}

#[test]
fn rt_16_rt_17_a_stop_loses_nothing_and_a_start_sends_nothing_again() {
    let mut server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::Slow(Duration::from_millis(60), 200));
    server.subscribe(&json!({"name": "slow", "url": sink.url("/"), "events": ["*"], "rate_limit": {"max_requests": 10, "window_ms": 100}}));
    for at in 0..100 {
        server.publish(&event(at));
    }
    sink.wait_for(10);
    assert_eq!(server.stop(), Some(0));
    let server = server.start_again();
    until("all of them", || sink.by_message().len() == 100);
    until("the end", || server.messages("status=delivered").len() == 100);
    assert_eq!(sink.count(), 100, "what was under way was finished or left alone");
    let mut server = server;
    for _ in 0..2 {
        server = server.stop_and_restart(None);
    }
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(sink.count(), 100);
}

#[test]
fn rt_07_failed_deliveries_come_back_spread_out() {
    let server = Server::start();
    let sink = Sink::scripted(|request, _| {
        Reply::Status(if request.header("x-tagorun-attempt") == "1" { 500 } else { 200 })
    });
    server.subscribe(&json!({"name": "jitter", "url": sink.url("/"), "events": ["*"],
        "retry_policy": {"max_attempts": 3, "backoff": "fixed", "base": "2s"}}));
    for at in 0..200 {
        server.publish(&event(at));
    }
    sink.wait_for(400);
    until("the end", || server.messages("status=delivered").len() == 200);
    let mut delays: Vec<f64> = server
        .messages("status=delivered")
        .iter()
        .map(|row| {
            let message = server.api(&format!("messages/{}", row["id"].as_str().unwrap()));
            let at = |number: usize| {
                let started = message["attempts"][number]["started_at"].as_str().unwrap();
                started.parse::<jiff::Timestamp>().unwrap().as_millisecond() as f64
            };
            at(1) - at(0) - message["attempts"][0]["duration_ms"].as_f64().unwrap()
        })
        .collect();
    delays.sort_by(f64::total_cmp);
    assert!(delays[0] >= 1_999.0, "jitter only lengthens: {}", delays[0]);
    let spread = delays[189] - delays[10];
    assert!(spread >= 400.0, "a spread of {spread} ms over 2 s");
}
