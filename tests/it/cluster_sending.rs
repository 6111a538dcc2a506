//! Several nodes send from one outbox.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Database, Nodes, Reply, Sink, until};

fn event(at: usize) -> Value {
    json!({"event": "made.up", "id": format!("e{at}"), "timestamp": "2026-03-09T07:14:58Z"})
}

#[test]
fn what_a_stopped_node_had_claimed_is_taken_over_and_what_it_says_later_changes_nothing() {
    const MESSAGES: usize = 300;
    let database = Database::start();
    let nodes = Nodes::start(3, &Database::url(&[&database]), "[sender]\nlease = \"1s\"\n");
    let sink = Sink::scripted(|_, _| Reply::Slow(Duration::from_millis(800), 200));
    let id = nodes.servers[0].subscribe(&json!({
        "name": "slow", "url": sink.url("/"), "events": ["*"], "timeout": 2,
        "retry_policy": {"max_attempts": 5, "backoff": "fixed", "base": "200ms"},
    }));
    for at in 0..MESSAGES {
        if at == MESSAGES / 2 {
            nodes.servers[0].signal("STOP");
        }
        let node = if at < MESSAGES / 2 { at % 3 } else { 1 + at % 2 };
        assert_eq!(nodes.servers[node].publish(&event(at)), 1);
    }
    let stopped = Instant::now();
    let node = &nodes.servers[1];
    // Unless it stood still in a transaction: its locks end after five seconds.
    let all = format!("subscription_id={id}");
    until("the others send all of it", || {
        node.messages(&all).iter().all(|message| message["status"] == "delivered")
    });
    println!("all sent {:.1} s after the stop", stopped.elapsed().as_secs_f64());
    std::thread::sleep(Duration::from_secs(6).saturating_sub(stopped.elapsed()));
    let before = node.messages(&all);
    nodes.servers[0].signal("CONT");
    std::thread::sleep(Duration::from_secs(2));
    let after = node.messages(&all);
    assert_eq!(before, after, "the node that stood still changed something");
    assert!(after.iter().all(|message| message["status"] == "delivered"), "{after:?}");
    let ids: HashSet<String> = sink.by_message().into_keys().collect();
    assert_eq!(ids.len(), MESSAGES);
    let again = sink.count() - MESSAGES;
    println!("{again} messages came twice: the stopped node had them");
    assert!(again <= 64, "{again} came twice");
    assert_eq!(nodes.servers[0].publish(&event(MESSAGES)), 1, "it goes on");
    until("the last one", || sink.by_message().len() == MESSAGES + 1);
}

#[test]
fn a_rate_holds_over_all_nodes_in_any_window() {
    const MESSAGES: usize = 260;
    let database = Database::start();
    let nodes = Nodes::start(3, &Database::url(&[&database]), "");
    let sink = Sink::start();
    nodes.servers[0].subscribe(&json!({
        "name": "rated", "url": sink.url("/"), "events": ["*"],
        "rate_limit": {"max_requests": 50, "window_ms": 1_000},
    }));
    for at in 0..MESSAGES {
        assert_eq!(nodes.servers[at % 3].publish(&event(at)), 1);
    }
    let seen = sink.wait_for(MESSAGES);
    let mut instants: Vec<_> = seen.iter().map(|request| request.at).collect();
    instants.sort();
    for (first, last) in instants.iter().zip(&instants[50..]) {
        let window = *last - *first;
        assert!(window > Duration::from_secs(1), "51 requests within {window:?}");
    }
    let took = *instants.last().unwrap() - instants[0];
    println!("{MESSAGES} at 50/s in {:.1} s", took.as_secs_f64());
    assert!(took < Duration::from_secs(20), "the rate is not used: {took:?}");
}

#[test]
fn order_holds_over_all_nodes() {
    const EACH: usize = 40;
    let database = Database::start();
    let nodes = Nodes::start(3, &Database::url(&[&database]), "");
    let sink = Sink::scripted(|_, before| Reply::Status(if before % 7 == 3 { 500 } else { 200 }));
    nodes.servers[0].subscribe(&json!({
        "name": "ordered", "url": sink.url("/"), "events": ["*"], "ordered": true,
        "retry_policy": {"max_attempts": 50, "backoff": "fixed", "base": "50ms"},
    }));
    for at in 0..EACH {
        for device in ["a", "b", "c"] {
            let event = json!({
                "event": "made.up", "id": format!("{device}{at}"), "timestamp": "2026-03-09T07:14:58Z",
                "device": {"id": device},
            });
            assert_eq!(nodes.servers[at % 3].publish(&event), 1);
        }
    }
    let node = &nodes.servers[2];
    until("all of them", || sink.by_message().len() == 3 * EACH);
    until("the end", || node.api("stats")["overall"]["pending_messages"] == 0);
    for device in ["a", "b", "c"] {
        let mut next = 0;
        for request in sink.seen() {
            let id = request.header("x-tagorun-event-id").to_owned();
            let Some(at) = id.strip_prefix(device).map(|at| at.parse::<usize>().unwrap()) else { continue };
            assert!(at <= next, "{id} came before {device}{next}");
            next = next.max(at + 1);
        }
        assert_eq!(next, EACH);
    }
}

#[test]
fn a_subscription_that_changes_on_one_node_changes_on_all() {
    let database = Database::start();
    let nodes = Nodes::start(2, &Database::url(&[&database]), "");
    let sink = Sink::start();
    let (first, second) = (&nodes.servers[0], &nodes.servers[1]);
    let id = first.subscribe(&json!({"name": "one", "url": sink.url("/one"), "events": ["*"]}));
    assert_eq!(second.publish(&event(0)), 1, "what one node makes counts on the other at once");
    sink.wait_for(1);
    let gone = first.tell("DELETE", &format!("subscriptions/{id}"), &Value::Null);
    assert!([200, 204].contains(&gone.status), "{}", gone.status);
    assert_eq!(second.publish(&event(1)), 0);
    assert_eq!(second.api("subscriptions")["subscriptions"].as_array().unwrap().len(), 0);
}
