//! Retries, dead letters, limits, batches, order: against an endpoint that misbehaves.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Reply, SECRET, Server, Sink, hmac_hex, until};

fn quick(sink: &Sink, attempts: u32, more: Value) -> Value {
    let mut subscription = json!({
        "name": "quick", "url": sink.url("/"), "events": ["*"],
        "retry_policy": {"max_attempts": attempts, "backoff": "fixed", "base": "50ms", "jitter": false},
    });
    for (key, value) in more.as_object().unwrap() {
        subscription[key] = value.clone();
    }
    subscription
}

fn event(id: &str) -> Value {
    json!({"event": "made.up", "id": id, "timestamp": "2026-03-09T07:14:58Z"})
}

#[test]
fn rt_01_id_12_rt_28_three_attempts_with_one_id_each_signed_then_a_dead_letter() {
    let server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::Status(403));
    let id = server.subscribe(&quick(&sink, 3, json!({"headers": {"X-Try": "{{event.id}}"}})));
    server.publish(&event("e1"));
    until("the dead letter", || server.dead_letters("").len() == 1);
    let seen = sink.seen();
    assert_eq!(seen.len(), 3);
    for (at, request) in seen.iter().enumerate() {
        assert_eq!(request.header("x-tagorun-attempt"), (at + 1).to_string());
        assert_eq!(request.header("x-tagorun-signature"), hmac_hex(SECRET.as_bytes(), &request.body));
        assert_eq!(request.header("x-tagorun-message-id"), seen[0].header("x-tagorun-message-id"));
        assert_eq!(request.header("x-try"), "e1");
    }
    let letter = server.dead_letters("").remove(0);
    assert_eq!((letter["error"].as_str(), letter["attempts"].as_u64()), (Some("HTTP 403"), Some(3)));
    assert_eq!(letter["subscription_id"], id);
    assert_eq!(letter["url"], sink.url("/"));
    assert_eq!(letter["payload"].as_str().unwrap().as_bytes(), seen[0].body);
    let message = server.api(&format!("messages/{}", letter["message_id"].as_str().unwrap()));
    assert_eq!(
        (message["status"].as_str(), message["attempts"].as_array().unwrap().len()),
        (Some("dead"), 3)
    );
    assert_eq!(server.api("stats")["overall"]["retry_attempts"], 2);
}

#[test]
fn rt_05_rt_06_retry_after_is_kept_in_both_forms() {
    let server = Server::start();
    let sink = Sink::scripted(|_, before| match before {
        0 => Reply::With(429, vec![("Retry-After", "1".into())], String::new()),
        1 => {
            let at = std::time::SystemTime::now() + Duration::from_secs(2);
            Reply::With(503, vec![("Retry-After", httpdate::fmt_http_date(at))], String::new())
        }
        2 => Reply::With(503, vec![("Retry-After", "-1".into())], String::new()),
        _ => Reply::Status(200),
    });
    server.subscribe(&quick(&sink, 5, json!({})));
    server.publish(&event("e1"));
    let seen = sink.wait_for(4);
    let gaps: Vec<Duration> = seen.windows(2).map(|two| two[1].at - two[0].at).collect();
    assert!(gaps[0] >= Duration::from_secs(1), "{gaps:?}");
    assert!(gaps[1] >= Duration::from_millis(900), "a date has whole seconds: {gaps:?}");
    assert!(gaps[2] >= Duration::from_millis(50), "{gaps:?}");
}

#[test]
fn rt_04_rt_08_what_is_no_answer_and_what_redirects_is_tried_again_with_its_class() {
    let server = Server::start();
    let other = Sink::start();
    let target = other.url("/elsewhere");
    let sink = Sink::scripted(move |_, before| match before {
        0 => Reply::Reset,
        1 => Reply::With(302, vec![("Location", target.clone())], String::new()),
        2 => Reply::Hang,
        _ => Reply::Status(204),
    });
    server.subscribe(&quick(&sink, 5, json!({"timeout": 0.3})));
    server.publish(&event("e1"));
    sink.wait_for(4);
    until("delivery", || server.messages("status=delivered").len() == 1);
    let id = server.messages("")[0]["id"].as_str().unwrap().to_owned();
    let attempts = server.api(&format!("messages/{id}"))["attempts"].clone();
    let errors: Vec<&Value> = attempts.as_array().unwrap().iter().map(|attempt| &attempt["error"]).collect();
    assert_eq!(
        errors,
        ["reset", "redirect", "timeout", &Value::Null.to_string()]
            .map(|word| if word == "null" { Value::Null } else { word.into() })
            .iter()
            .collect::<Vec<_>>()
    );
    assert_eq!(attempts[1]["status"], 302);
    assert_eq!(other.count(), 0);
}

#[test]
fn rt_10_a_deleted_subscription_sends_no_more_and_a_disabled_one_keeps_what_waits() {
    let server = Server::start();
    let sink = Sink::scripted(|_, before| Reply::Status(if before == 0 { 500 } else { 200 }));
    let slow =
        json!({"retry_policy": {"max_attempts": 3, "backoff": "fixed", "base": "400ms", "jitter": false}});
    let id = server.subscribe(&quick(&sink, 3, slow.clone()));
    server.publish(&event("e1"));
    sink.wait_for(1);
    assert_eq!(server.tell("DELETE", &format!("subscriptions/{id}"), &json!({})).status, 204);
    until("the end", || server.messages("status=cancelled").len() == 1);
    let kept = server.subscribe(&quick(&sink, 3, slow));
    assert_eq!(
        server.tell("PATCH", &format!("subscriptions/{kept}"), &json!({"url": sink.url("/500")})).status,
        200
    );
    server.publish(&event("e2"));
    sink.wait_for(2);
    assert_eq!(
        server.tell("PATCH", &format!("subscriptions/{kept}"), &json!({"enabled": false})).status,
        200
    );
    assert_eq!(server.publish(&event("e3")), 0, "a disabled one gets no new ones");
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(sink.count(), 2, "nothing more came");
}

#[test]
fn gone_disables_and_is_told_once_to_who_asks_for_it() {
    let server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::Status(410));
    let operator = Sink::start();
    let id = server.subscribe(&quick(&sink, 5, json!({})));
    server.subscribe(&json!({"name": "ops", "url": operator.url("/"), "events": ["message.dead", "endpoint.disabled"], "signature": "none"}));
    server.publish(&event("e1"));
    let told = operator.wait_for(2);
    let types: Vec<Value> = told.iter().map(|request| request.json()["event"].clone()).collect();
    assert!(
        types.contains(&json!("endpoint.disabled")) && types.contains(&json!("message.dead")),
        "{types:?}"
    );
    assert_eq!(sink.count(), 1, "dead at once");
    let subscription = server.api(&format!("subscriptions/{id}"));
    assert_eq!(
        (subscription["enabled"].as_bool(), subscription["disabled_reason"].as_str()),
        (Some(false), Some("gone"))
    );
}

#[test]
fn deaths_are_told_in_groups() {
    let server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::Status(500));
    let operator = Sink::start();
    server.subscribe(&quick(&sink, 1, json!({"events": ["made.up"]})));
    server.subscribe(&json!({"name": "ops", "url": operator.url("/"), "events": ["message.dead"]}));
    for at in 0..40 {
        server.publish(&event(&format!("e{at}")));
    }
    until("the deaths", || server.dead_letters("").len() == 40);
    let told = operator.wait_for(1);
    assert!(told[0].json()["data"]["count"].as_u64().unwrap() > 1);
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(operator.count() <= 2, "{} notices", operator.count());
}

#[test]
fn rt_18_rt_22_a_replay_takes_what_matches_and_a_failed_one_comes_back_with_its_history() {
    let server = Server::start();
    let (a, b) = (Sink::scripted(|_, _| Reply::Status(500)), Sink::scripted(|_, _| Reply::Status(500)));
    let id_a = server.subscribe(&quick(&a, 2, json!({"name": "a"})));
    server.subscribe(&quick(&b, 2, json!({"name": "b"})));
    for id in ["e1", "e2"] {
        server.publish(&event(id));
    }
    until("four dead letters", || server.dead_letters("").len() == 4);
    let filter = json!({"subscription_id": id_a, "event_id": "e1"});
    let mut plan = filter.clone();
    plan["dry_run"] = true.into();
    assert_eq!(server.tell("POST", "dead-letters/replay", &plan).json()["count"], 1);
    assert_eq!((a.count(), b.count()), (4, 4));
    assert_eq!(server.tell("POST", "dead-letters/replay", &filter).status, 202);
    a.wait_for(6);
    until("it is back", || server.dead_letters("").len() == 4);
    assert_eq!((a.count(), b.count()), (6, 4));
    let back = server.dead_letters(&format!("event_id=e1&subscription_id={id_a}")).remove(0);
    assert_eq!(back["attempts"], 4);
    let one = format!("dead-letters/{}", back["id"].as_str().unwrap());
    assert_eq!(server.tell("POST", &format!("{one}/replay"), &json!({})).status, 202);
    until("it is back again", || server.dead_letters("").len() == 4);
    assert_eq!(server.tell("DELETE", &one, &json!({})).status, 204);
    assert_eq!(server.tell("DELETE", &one, &json!({})).status, 404);
}

#[test]
fn the_fallback_is_tried_and_when_both_fail_both_errors_are_kept() {
    let server = Server::start();
    let (primary, spare) = (
        Sink::scripted(|_, _| Reply::Status(500)),
        Sink::scripted(|request, _| {
            Reply::Status(if request.header("x-tagorun-event-id") == "e1" { 200 } else { 503 })
        }),
    );
    let fallback = server.subscribe(&quick(
        &spare,
        2,
        json!({"name": "spare", "events": ["none.such"], "payload_template": {"spare": "{{event.id}}"}}),
    ));
    server.subscribe(&quick(&primary, 2, json!({"name": "primary", "fallback": fallback})));
    server.publish(&event("e1"));
    server.publish(&event("e2"));
    until("the dead letter", || server.dead_letters("").len() == 1);
    until("the delivery", || server.messages("status=delivered").len() == 1);
    assert_eq!(spare.seen()[0].json(), json!({"spare": spare.seen()[0].header("x-tagorun-event-id")}));
    let letter = server.dead_letters("").remove(0);
    assert_eq!(letter["event_id"], "e2");
    assert_eq!(
        (letter["primary_error"].as_str(), letter["fallback_error"].as_str()),
        (Some("HTTP 500"), Some("HTTP 503"))
    );
    assert_eq!(letter["attempts"], 4);
}

#[test]
fn rt_24_in_no_window_are_more_sent_than_the_rate_allows_and_nothing_is_lost() {
    let server = Server::start();
    let sink = Sink::start();
    server.subscribe(&quick(&sink, 3, json!({"rate_limit": {"max_requests": 5, "window_ms": 400}})));
    for at in 0..23 {
        server.publish(&event(&format!("e{at}")));
    }
    let seen = sink.wait_for(23);
    let mut instants: Vec<_> = seen.iter().map(|request| request.at).collect();
    instants.sort();
    for (first, last) in instants.iter().zip(&instants[5..]) {
        let window = *last - *first;
        assert!(window > Duration::from_millis(400), "six requests within {window:?}");
    }
    let order: Vec<String> =
        seen.iter().map(|request| request.header("x-tagorun-event-id").to_owned()).collect();
    let first: Vec<&str> = order.iter().take(5).map(String::as_str).collect();
    assert!(first.iter().all(|id| ["e0", "e1", "e2", "e3", "e4"].contains(id)), "{order:?}");
}

#[test]
fn rt_20_s_07_of_a_batch_only_what_failed_is_tried_again() {
    let server = Server::start();
    let sink = Sink::scripted(|_, before| {
        let results: Vec<Value> =
            (0..10).map(|at| json!({"status": if at == 2 { 500 } else { 200 }})).collect();
        match before {
            0 => Reply::With(200, Vec::new(), json!({"results": results}).to_string()),
            _ => Reply::Status(200),
        }
    });
    server.subscribe(&quick(&sink, 3, json!({"batch": {"size": 10, "flush_interval_ms": 300}})));
    for at in 0..10 {
        server.publish(&event(&format!("e{at}")));
    }
    let seen = sink.wait_for(2);
    let ids = |at: usize| {
        seen[at].json().as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(0), (0..10).map(|at| json!(format!("e{at}"))).collect::<Vec<_>>());
    assert_eq!(seen[0].header("x-tagorun-batch-size"), "10");
    assert_eq!(ids(1), ["e2"]);
    until("all of them", || server.messages("status=delivered").len() == 10);
}

#[test]
fn a_slow_endpoint_delays_nobody_else_and_order_holds_for_each_device() {
    let server = Server::start();
    let slow = Sink::scripted(|_, _| Reply::Slow(Duration::from_secs(5), 200));
    let ordered = Sink::scripted(|request, before| {
        Reply::Status(if before < 2 && request.json()["device"]["id"] == "a" { 500 } else { 200 })
    });
    server.subscribe(&quick(&slow, 1, json!({"name": "slow"})));
    server.subscribe(&quick(&ordered, 5, json!({"name": "ordered", "ordered": true})));
    let started = Instant::now();
    for at in 0..12 {
        let device = if at % 2 == 0 { "a" } else { "b" };
        server.publish(&json!({"event": "made.up", "id": format!("e{at}"), "device": {"id": device}}));
    }
    until("the ordered ones", || server.messages("status=delivered").len() >= 12);
    assert!(started.elapsed() < Duration::from_secs(5), "the slow endpoint held them up");
    for device in ["a", "b"] {
        let seen = ordered.seen();
        let own = seen.iter().filter(|request| request.json()["device"]["id"] == device);
        let mut ids: Vec<u32> =
            own.map(|request| request.header("x-tagorun-event-id")[1..].parse().unwrap()).collect();
        ids.dedup();
        assert!(ids.is_sorted(), "{ids:?}");
    }
}

#[test]
fn a_node_receiver_that_does_everything_wrong_gets_its_message_in_the_end() {
    let script = "let n = 0; const s = require('http').createServer((q, a) => { \
        if (q.method === 'HEAD') return a.end(); \
        q.resume(); q.on('end', () => { switch (n++) { \
            case 0: a.writeHead(500); return a.end('broken'); \
            case 1: a.writeHead(429, {'Retry-After': '1'}); return a.end(); \
            case 2: return; \
            case 3: return q.socket.resetAndDestroy(); \
            case 4: a.writeHead(503); a.write('a'); setInterval(() => a.write('.'), 50); return; \
            case 5: a.writeHead(307, {Location: '/elsewhere'}); return a.end(); \
            case 6: return q.socket.end('HTTP/1.1 OK what\\r\\n\\r\\n'); \
            default: a.writeHead(202); a.end(String(n)); } }) }); \
        s.listen(0, '127.0.0.1', () => console.log(s.address().port))";
    let mut node = std::process::Command::new("node")
        .args(["-e", script])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(node.stdout.take().unwrap()), &mut port)
        .unwrap();
    let server = Server::start();
    server.subscribe(&json!({"name": "node", "url": format!("http://127.0.0.1:{}/", port.trim()), "events": ["*"], "timeout": 0.5,
        "retry_policy": {"max_attempts": 10, "backoff": "fixed", "base": "30ms", "jitter": false}}));
    server.publish(&event("e1"));
    until("delivery", || server.messages("status=delivered").len() == 1);
    node.kill().unwrap();
    node.wait().unwrap();
    let id = server.messages("")[0]["id"].as_str().unwrap().to_owned();
    let attempts = server.api(&format!("messages/{id}"))["attempts"].as_array().unwrap().clone();
    let outcomes: Vec<String> = attempts
        .iter()
        .map(|attempt| match attempt["error"].as_str() {
            Some(error) => error.to_owned(),
            None => attempt["status"].to_string(),
        })
        .collect();
    assert_eq!(outcomes, ["500", "429", "timeout", "reset", "503", "redirect", "reset", "202"]);
    assert_eq!(attempts[4]["response_truncated"], true);
}
