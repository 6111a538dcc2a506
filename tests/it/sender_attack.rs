//! Endpoints that answer oddly, and a program that is held up: found by somebody who tried to break the sender.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Setup, Sink, TOKEN, login, until};

fn event(id: &str) -> Value {
    json!({"event": "made.up", "id": id})
}

/// A subscription whose batches hold three messages.
fn batches(url: &str, more: Value) -> Value {
    let mut subscription = json!({
        "name": "batches", "url": url, "events": ["*"], "batch": {"size": 3, "flush_interval_ms": 200},
        "retry_policy": {"max_attempts": 1},
    });
    for (key, value) in more.as_object().unwrap() {
        subscription[key] = value.clone();
    }
    subscription
}

/// What became of the events, in their order.
fn statuses(server: &Server, events: usize) -> Vec<String> {
    until("an end", || {
        let rows = server.messages("");
        rows.len() == events && rows.iter().all(|row| row["status"] == "delivered" || row["status"] == "dead")
    });
    let mut rows = server.messages("");
    rows.sort_by_key(|row| row["event_id"].as_str().unwrap().to_owned());
    rows.iter().map(|row| row["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_item_of_a_batch_that_is_gone_dies_and_the_endpoint_stays() {
    let server = Server::start();
    let results = json!({"results": [{"status": 200}, {"status": 410}, {"status": 200}]}).to_string();
    let sink = Sink::scripted(move |_, _| Reply::With(200, Vec::new(), results.clone()));
    let id = server.subscribe(&batches(&sink.url("/"), json!({})));
    for id in ["e1", "e2", "e3"] {
        server.publish(&event(id));
    }
    assert_eq!(statuses(&server, 3), ["delivered", "dead", "delivered"]);
    assert_eq!(server.api(&format!("subscriptions/{id}"))["enabled"], true);
    let gone = Sink::scripted(|_, _| Reply::Status(410));
    server.tell("PATCH", &format!("subscriptions/{id}"), &json!({"url": gone.url("/")}));
    server.publish(&event("e4"));
    until("the end of it", || server.api(&format!("subscriptions/{id}"))["enabled"] == false);
    assert_eq!(statuses(&server, 4)[3], "dead");
}

#[test]
fn one_odd_result_of_a_batch_does_not_speak_for_the_others() {
    for (odd, becomes) in [
        (json!({"status": "500"}), "dead"),
        (json!({"status": 500.0}), "dead"),
        (json!({"status": 99_999}), "dead"),
        (json!({"status": -1}), "dead"),
        (json!({"status": "200"}), "delivered"),
        (json!({"status": "ok"}), "delivered"),
        (json!({"status": null}), "delivered"),
        (json!({}), "delivered"),
        (json!("taken"), "delivered"),
        (json!([{"status": 500}]), "delivered"),
    ] {
        let server = Server::start();
        let results = json!({"results": [odd, {"status": 500}, {"status": 200}]}).to_string();
        let sink = Sink::scripted(move |_, _| Reply::With(200, Vec::new(), results.clone()));
        server.subscribe(&batches(&sink.url("/"), json!({})));
        for id in ["e1", "e2", "e3"] {
            server.publish(&event(id));
        }
        assert_eq!(statuses(&server, 3), [becomes, "dead", "delivered"], "{odd}");
    }
}

#[test]
fn a_loop_through_batches_ends() {
    let server = Server::start();
    for name in ["one", "two"] {
        // Points without ids: each array that arrives is an event of its own.
        server.subscribe(&batches(
            &format!("http://{}/webhook/tagoio", server.receiver),
            json!({"name": name, "auth": {"bearer": TOKEN}, "batch": {"size": 2, "flush_interval_ms": 50},
                "payload_template": {"variable": "t", "value": 1, "device": name}}),
        ));
    }
    let event = json!({"event": "user.login", "id": "e1", "user": {"id": "u", "email": "a@b.example"}});
    assert_eq!(server.publish(&event), 2);
    // Each goes to the other one once.
    until("four messages", || server.messages("status=delivered").len() == 4);
    until("four deliveries", || server.deliveries("source=tagoio").len() == 4);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(server.messages("").len(), 4);
    assert_eq!(server.deliveries("source=tagoio").len(), 4);
}

#[test]
fn an_answer_that_came_while_the_program_stood_still_is_an_answer() {
    let server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::Slow(Duration::from_millis(500), 200));
    server.subscribe(&json!({"name": "slow", "url": sink.url("/"), "events": ["*"], "timeout": 1,
        "retry_policy": {"max_attempts": 5, "backoff": "fixed", "base": "10ms"}}));
    for at in 0..20 {
        server.publish(&event(&format!("e{at}")));
    }
    sink.wait_for(20);
    server.signal("STOP");
    std::thread::sleep(Duration::from_secs(2));
    server.signal("CONT");
    until("all of them", || server.messages("status=delivered").len() == 20);
    assert_eq!(sink.count(), 20, "none was sent twice");
}

#[test]
fn endpoints_that_hang_leave_connections_to_everybody_else() {
    let server = Setup::new("").files(256).start();
    let hanging = Sink::scripted(|_, _| Reply::Hang);
    for at in 0..40 {
        server.subscribe(&json!({"name": format!("h{at}"), "url": hanging.url("/"), "events": ["made.up"]}));
    }
    for at in 0..32 {
        server.publish(&event(&format!("e{at}")));
    }
    hanging.wait_for(40);
    let good = Sink::start();
    server.subscribe(&json!({"name": "good", "url": good.url("/"), "events": ["user.login"]}));
    let began = Instant::now();
    for at in 0..40 {
        assert_eq!(server.post_signed(login(&format!("l{at}")).as_bytes()).status, 200);
    }
    good.wait_for(40);
    assert!(began.elapsed() < Duration::from_secs(20), "those that hang held up the others");
}

#[test]
fn a_long_queue_of_one_device_holds_up_no_other_and_keeps_its_order() {
    let server = Server::start();
    let sink = Sink::scripted(|request, _| {
        let is_long = request.json()["device"]["id"] == "long";
        Reply::Slow(Duration::from_millis(if is_long { 20 } else { 0 }), 200)
    });
    server.subscribe(&json!({"name": "ordered", "url": sink.url("/"), "events": ["*"], "ordered": true}));
    let of = |device: &str, at: usize| json!({"event": "made.up", "id": format!("{device}{at}"), "at": at, "device": {"id": device}});
    for at in 0..1_500 {
        server.publish(&of("long", at));
    }
    let before = sink.count();
    assert!(before < 1_300, "there is a queue");
    let began = Instant::now();
    for at in 0..10 {
        server.publish(&of("short", at));
    }
    let short = || sink.seen().iter().filter(|request| request.json()["device"]["id"] == "short").count();
    until("the short ones", || short() == 10);
    assert!(began.elapsed() < Duration::from_secs(10), "the long queue held them up");
    for device in ["long", "short"] {
        let seen = sink.seen();
        let own = seen.iter().map(|request| request.json()).filter(|body| body["device"]["id"] == device);
        let order: Vec<u64> = own.map(|body| body["at"].as_u64().unwrap()).collect();
        assert!(order.iter().copied().eq(0..order.len() as u64), "{device}: {order:?}");
    }
}

#[test]
fn a_subscription_that_the_store_could_not_remove_goes_on() {
    let server = Server::start();
    let sink = Sink::scripted(|_, before| Reply::Status(if before == 0 { 500 } else { 200 }));
    let id = server.subscribe(&json!({"name": "stays", "url": sink.url("/"), "events": ["*"],
        "retry_policy": {"max_attempts": 9, "backoff": "fixed", "base": "1s"}}));
    server.publish(&event("e1"));
    sink.wait_for(1);
    until("the retry", || server.messages("status=pending").len() == 1);
    let other = rusqlite::Connection::open(server.data_dir().join("tagohook.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(server.tell("DELETE", &format!("subscriptions/{id}"), &json!({})).status, 503);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.api(&format!("subscriptions/{id}"))["enabled"], true);
    until("delivery", || server.messages("status=delivered").len() == 1);
}
