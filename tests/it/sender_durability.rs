//! Nothing on its way is lost: kills, stops, restarts.

use std::collections::HashSet;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Reply, SECRET, Server, Setup, Sink, login, standard_webhooks, until};

fn event(at: usize) -> Value {
    json!({"event": "made.up", "id": format!("e{at}"), "timestamp": "2026-03-09T07:14:58Z"})
}

/// How long an endpoint is down.
const OUTAGE: Duration = Duration::from_secs(60);

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
    let began = Instant::now();
    for at in 0..MESSAGES {
        assert_eq!(server.publish(&event(at)), 1);
        if at == MESSAGES / 2 || at == MESSAGES - 1 {
            server = server.kill_and_restart();
        }
    }
    std::thread::sleep(OUTAGE.saturating_sub(began.elapsed()));
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
fn without_a_rate_the_backlog_of_an_outage_is_spread_out() {
    const MESSAGES: usize = 5_000;
    let mut server = Server::start();
    let address = free_address();
    server.subscribe(&json!({
        "name": "down", "url": format!("http://{address}/"), "events": ["*"],
        "retry_policy": {"max_attempts": 50, "backoff": "exponential", "base": "1s", "max_delay": "20s"},
    }));
    let began = Instant::now();
    for at in 0..MESSAGES {
        assert_eq!(server.publish(&event(at)), 1);
    }
    server = server.kill_and_restart();
    std::thread::sleep((OUTAGE / 2).saturating_sub(began.elapsed()));
    server = server.kill_and_restart();
    std::thread::sleep(OUTAGE.saturating_sub(began.elapsed()));
    let sink = Sink::at(address, |_, _| Reply::Status(200));
    until("all of them", || sink.by_message().len() == MESSAGES);
    until("the end", || server.api("stats")["overall"]["pending_messages"] == 0);
    let mut instants: Vec<_> = sink.seen().iter().map(|request| request.at).collect();
    assert_eq!(instants.len(), MESSAGES, "none came twice");
    instants.sort();
    let most = (0..instants.len())
        .map(|first| instants.partition_point(|at| *at - instants[first] <= Duration::from_secs(1)) - first);
    let most = most.max().unwrap();
    assert!(most < MESSAGES / 4, "{most} of {MESSAGES} came within one second");
}

#[test]
fn rt_19_the_receiver_answers_before_the_work_is_done() {
    let server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::Slow(Duration::from_secs(15), 200));
    server.subscribe(&json!({"name": "slow", "url": sink.url("/"), "events": ["*"], "sources": ["tagorun"]}));
    std::thread::scope(|scope| {
        for at in 0..50 {
            let server = &server;
            scope.spawn(move || {
                let answer = server.post_signed(login(&format!("evt_{at}")).as_bytes());
                assert_eq!((answer.status, answer.word().as_str()), (200, "processed"));
            });
        }
    });
    assert_eq!(server.api("stats")["overall"]["successful_deliveries"], 0, "no work was done yet");
    until("the work", || server.messages("status=delivered").len() == 50);
    assert_eq!(sink.by_message().len(), 50);
}

#[test]
fn sig_24_an_event_is_verified_when_it_comes_and_signed_anew_when_it_goes() {
    let source = r#"
        [[source]]
        name = "svix"
        signature = "standard-webhooks"
        secrets = ["file:signing-secret"]
        tolerance = "1s"
        schema = "off"
    "#;
    let server = Setup::new(source).start();
    let sink = Sink::scripted(|_, before| Reply::Status(if before == 0 { 500 } else { 200 }));
    server.subscribe(&json!({"name": "late", "url": sink.url("/"), "events": ["*"],
        "signature": {"scheme": "standard-webhooks"},
        "retry_policy": {"max_attempts": 2, "backoff": "fixed", "base": "3s", "jitter": false}}));
    let body = br#"{"type":"made.up","n":1.0}"#;
    let now = jiff::Timestamp::now().as_second();
    let signed = standard_webhooks(SECRET.as_bytes(), "msg_1", now, body);
    let headers =
        [("webhook-id", "msg_1"), ("webhook-timestamp", &*now.to_string()), ("webhook-signature", &*signed)];
    assert_eq!(server.post("/webhook/svix", &headers, body).status, 200);
    let seen = sink.wait_for(2);
    let time = |at: usize| seen[at].header("webhook-timestamp").parse::<i64>().unwrap();
    assert!(time(1) >= now + 3, "the time of the attempt is signed: {} against {now}", time(1));
    assert_eq!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
    for request in &seen {
        assert_eq!(request.body, body);
        let id = request.header("webhook-id");
        let time = request.header("webhook-timestamp").parse().unwrap();
        assert_eq!(request.header("webhook-signature"), standard_webhooks(SECRET.as_bytes(), id, time, body));
    }
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(server.post("/webhook/svix", &headers, body).status, 401, "too old for the receiver by now");
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
