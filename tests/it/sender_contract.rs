//! The sender's API, word for word, and what it puts on the wire.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Reply, SECRET, Server, Setup, Sink, hmac_hex, until};

const SPARE: &str = "another-secret-of-the-tests-9876543210";

#[test]
fn the_same_id_and_body_again_leads_to_nothing_and_another_body_is_a_conflict() {
    let server = Server::start();
    let sink = Sink::start();
    server.subscribe(&json!({"name": "s", "url": sink.url("/"), "events": ["*"]}));
    let event = json!({"event": "a.b", "id": 42, "timestamp": "2026-03-09T07:14:58Z"});
    let first = server.tell("POST", "events", &event);
    assert_eq!(
        (first.status, &first.json()["event_id"], &first.json()["messages"]),
        (202, &json!("42"), &json!(1))
    );
    assert_eq!(server.tell("POST", "events", &event).json()["messages"], 0);
    let other = json!({"event": "a.b", "id": "42", "timestamp": "2026-03-09T07:14:59Z"});
    assert_eq!(server.tell("POST", "events", &other).status, 409);
    for (bad, pointer) in [(json!({}), "/event"), (json!([]), ""), (json!({"event": "a", "id": {}}), "/id")] {
        let answer = server.tell("POST", "events", &bad);
        assert_eq!((answer.status, &answer.json()["errors"][0]["pointer"]), (400, &json!(pointer)));
    }
    sink.wait_for(1);
    let told = server.api("events/42");
    assert_eq!(told["subscriptions"][0]["outcome"], "sent");
}

#[test]
fn tp_07_preview_test_real_send_and_the_dead_letter_are_the_same_bytes() {
    let server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::Status(500));
    let template = json!({"z": 1.0, "a": ["{{event.id}}", "{{user.name}} said \"hi\"", "{{user}}"], "none": "{{user.nothing}}"});
    let id = server.subscribe(&json!({
        "name": "same", "url": sink.url("/"), "events": ["*"], "payload_template": template,
        "retry_policy": {"max_attempts": 1},
    }));
    let event = json!({"event": "made.up", "id": "e1", "timestamp": "2026-03-09T07:14:58Z", "user": {"name": "Zoë \"{{x}}\"\n", "n": 1.0}});
    let preview = server.tell("POST", "subscriptions/preview", &json!({"subscription": id, "event": event}));
    assert_eq!(preview.status, 200);
    let preview = preview.json();
    assert_eq!((&preview["matches"], &preview["missing"]), (&json!(true), &json!(["user.nothing"])));
    let test = server.tell("POST", &format!("subscriptions/{id}/test"), &json!({"event": event}));
    assert_eq!((test.status, &test.json()["attempt"]["status"]), (202, &json!(500)));
    server.publish(&event);
    let seen = sink.wait_for(2);
    until("both dead", || server.dead_letters("").len() == 2);
    let text = preview["payload"].as_str().unwrap();
    assert_eq!(seen[0].body, text.as_bytes());
    assert_eq!(seen[1].body, text.as_bytes());
    for letter in server.dead_letters("") {
        assert_eq!(letter["payload"], text);
    }
    let draft = json!({"subscription": {"url": sink.url("/"), "events": ["*"], "payload_template": template}, "event": event});
    assert_eq!(server.tell("POST", "subscriptions/preview", &draft).json()["payload"], text);
}

#[test]
fn a_preview_tells_every_condition_and_what_it_saw() {
    let server = Server::start();
    let filters = json!({"data.*": {"conditions": [
        {"field": "device.type", "operator": "equals", "value": "sensor"},
        {"field": "data.value", "operator": "greater_than", "value": 100},
        {"field": "data.nothing", "operator": "not_equals", "value": 1},
    ]}});
    let draft = json!({"url": "https://e.example/", "events": ["data.*"], "filters": filters});
    let event =
        json!({"event": "data.received", "device": {"id": "d", "type": "sensor"}, "data": {"value": 100.0}});
    let told =
        server.tell("POST", "subscriptions/preview", &json!({"subscription": draft, "event": event})).json();
    assert_eq!(told["matches"], false);
    let matched: Vec<&Value> =
        told["conditions"].as_array().unwrap().iter().map(|one| &one["matched"]).collect();
    assert_eq!(matched, [&json!(true), &json!(false), &json!(false)]);
    assert_eq!(told["conditions"][1]["seen"], 100.0);
    assert_eq!(told["conditions"][2]["seen"], Value::Null);
    let bad = json!({"subscription": {"url": "https://e.example/", "events": ["a"], "payload_template": {"x": "{{"}}, "event": event});
    let faults = server.tell("POST", "subscriptions/preview", &bad);
    assert_eq!(
        (faults.status, &faults.json()["errors"][0]["pointer"]),
        (400, &json!("/subscription/payload_template/x"))
    );
}

#[test]
fn the_packages_of_others_verify_what_we_send() {
    let server = Server::start();
    let sink = Sink::start();
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    server.subscribe(&json!({"name": "sw", "url": sink.url("/"), "events": ["*"], "signature": {"scheme": "standard-webhooks", "secrets": [key, SPARE]}}));
    server.publish(&json!({"event": "made.up", "id": "e1", "v": "Zoë 🌡"}));
    let request = sink.wait_for(1).remove(0);
    assert_eq!(request.header("webhook-id"), server.messages("")[0]["id"].as_str().unwrap());
    assert_eq!(request.header("webhook-signature").split(' ').count(), 2, "a signature for each secret");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("request.json");
    let headers: Value = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .iter()
        .map(|name| ((*name).to_owned(), Value::from(request.header(name))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let content =
        json!({"headers": headers, "body": String::from_utf8(request.body.clone()).unwrap(), "secret": key});
    std::fs::write(&file, content.to_string()).unwrap();
    for package in ["standardwebhooks", "svix"] {
        let script = format!(
            "const {{ Webhook }} = require('{package}'); const r = JSON.parse(require('fs').readFileSync(process.argv[1])); \
             new Webhook(r.secret).verify(r.body, r.headers); \
             try {{ new Webhook(r.secret).verify(r.body + ' ', r.headers); process.exit(3) }} catch {{}} console.log('verified')"
        );
        let out =
            Command::new("node").args(["-e", &script]).arg(&file).current_dir("tests/data").output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&out.stdout).trim(),
            "verified",
            "{package}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
}

#[test]
fn two_secrets_make_two_signatures_and_either_verifies_at_our_own_receiver() {
    let server = Server::start();
    let sink = Sink::start();
    server.subscribe(&json!({"name": "s", "url": sink.url("/"), "events": ["*"], "signature": {"secrets": [SPARE, "file:signing-secret"]}}));
    server.publish(&json!({"event": "made.up", "id": "e1"}));
    let request = sink.wait_for(1).remove(0);
    let expected = [SPARE, SECRET].map(|secret| hmac_hex(secret.as_bytes(), &request.body)).join(",");
    assert_eq!(request.header("x-tagorun-signature"), expected);
    let again = server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &expected)], &request.body);
    assert_eq!(again.status, 200);
}

#[test]
fn ui_17_no_secret_of_a_subscription_is_anywhere_in_clear() {
    let server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::Status(500));
    let id = server.subscribe(&json!({
        "name": "s", "url": sink.url("/?token=query-4711-canary"), "events": ["*"], "retry_policy": {"max_attempts": 1},
        "auth": {"basic": {"username": "u", "password": "password-4711-canary"}}, "headers": {"X-Api-Key": "header-4711-canary"},
        "signature": {"secrets": ["signing-4711-canary-0123456789"]},
    }));
    server.publish(&json!({"event": "made.up", "id": "e1"}));
    let request = sink.wait_for(1).remove(0);
    assert_eq!(request.header("authorization"), "Basic dTpwYXNzd29yZC00NzExLWNhbmFyeQ==");
    assert_eq!(request.header("x-api-key"), "header-4711-canary");
    until("the dead letter", || server.dead_letters("").len() == 1);
    let mut seen = server.log();
    assert!(!seen.contains("query-4711"), "a URL's query is in the log");
    for path in
        ["subscriptions", &format!("subscriptions/{id}"), "messages", "dead-letters", "health", "stats"]
    {
        seen.push_str(&server.api(path).to_string());
    }
    let message = server.messages("")[0]["id"].as_str().unwrap().to_owned();
    seen.push_str(&server.api(&format!("messages/{message}")).to_string());
    seen.push_str(
        &server
            .tell("POST", "subscriptions/preview", &json!({"subscription": id, "event_type": "user.login"}))
            .json()
            .to_string(),
    );
    for file in std::fs::read_dir(server.data_dir()).unwrap() {
        seen.push_str(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()));
    }
    for secret in ["password-4711", "header-4711", "signing-4711", "dTpwYXNzd29yZC00NzExLWNhbmFyeQ"] {
        assert!(!seen.contains(secret), "{secret} is in clear");
    }
    let got = server.api(&format!("subscriptions/{id}"));
    assert_eq!(
        server.tell("PUT", &format!("subscriptions/{id}"), &got).status,
        200,
        "what was got can be put"
    );
    server.publish(&json!({"event": "made.up", "id": "e2"}));
    let after = sink.wait_for(2).remove(1);
    assert_eq!(after.header("x-api-key"), "header-4711-canary", "a mask that comes back keeps the secret");
}

#[test]
fn what_is_pending_is_sent_as_the_subscription_now_is() {
    let server = Server::start();
    let (old, new) = (Sink::scripted(|_, _| Reply::Status(500)), Sink::start());
    let id = server
        .subscribe(&json!({"name": "s", "url": old.url("/"), "events": ["*"], "payload_template": {"v": 1},
        "retry_policy": {"max_attempts": 5, "backoff": "fixed", "base": "300ms"}}));
    server.publish(&json!({"event": "made.up", "id": "e1"}));
    old.wait_for(1);
    let put = json!({"name": "s", "url": new.url("/new"), "events": ["other"], "payload_template": {"v": "{{event.id}}"}});
    assert_eq!(server.tell("PUT", &format!("subscriptions/{id}"), &put).status, 200);
    let request = new.wait_for(1).remove(0);
    assert_eq!((request.path.as_str(), request.json()), ("/new", json!({"v": "e1"})));
    assert_eq!(server.publish(&json!({"event": "made.up", "id": "e2"})), 0, "its events are others now");
}

#[test]
fn a_header_that_would_break_its_line_and_a_missing_value_that_is_an_error_are_not_sent() {
    let server = Server::start();
    let sink = Sink::start();
    let base = |name: &str| json!({"name": name, "url": sink.url("/"), "events": [name]});
    let mut broken = base("a.header");
    broken["headers"] = json!({"X-Name": "{{user.name}}"});
    server.subscribe(&broken);
    let mut strict = base("a.strict");
    strict["missing"] = "error".into();
    strict["payload_template"] = json!({"id": "{{user.id}}"});
    server.subscribe(&strict);
    server.publish(&json!({"event": "a.header", "id": "e1", "user": {"name": "x\r\nX-Evil: 1"}}));
    server.publish(&json!({"event": "a.strict", "id": "e2", "user": {}}));
    until("both dead", || server.dead_letters("").len() == 2);
    assert_eq!(sink.count(), 0);
    let error = |id: &str| {
        let message = server.messages(&format!("event_id={id}")).remove(0);
        server.api(&format!("messages/{}", message["id"].as_str().unwrap()))["attempts"][0]["error"].clone()
    };
    assert_eq!((error("e1"), error("e2")), (json!("header_invalid"), json!("template")));
}

#[test]
fn ss_02_ss_04_ss_06_forbidden_addresses_are_refused_when_configured_and_private_ones_where_asked() {
    let open = Server::start();
    let closed = Setup::new("[sender]\ndeny_private = true\n").start();
    let status = |server: &Server, url: &str| {
        server.tell("POST", "subscriptions", &json!({"name": url, "url": url, "events": ["a"]})).status
    };
    for url in
        ["http://169.254.169.254/", "http://[::ffff:a9fe:a9fe]/", "http://2852039166/", "http://[fe80::1]/"]
    {
        assert_eq!((status(&open, url), status(&closed, url)), (400, 400), "{url}");
    }
    for url in ["http://127.1/", "http://[::]/", "http://localhost./", "http://10.0.0.1/", "http://0x7f.1/"] {
        assert_eq!((status(&open, url), status(&closed, url)), (201, 400), "{url}");
    }
}

#[test]
fn subscriptions_of_the_configuration_are_sent_to_and_read_only() {
    let sink = Sink::start();
    let config = format!(
        "[[subscription]]\nname = \"From the file\"\nurl = \"{}\"\nevents = [\"*\"]\npayload_template = {{ z = \"{{{{event.id}}}}\", a = 1 }}\n",
        sink.url("/")
    );
    let mut server = Setup::new(&config).start();
    server.publish(&json!({"event": "made.up", "id": "e1"}));
    assert_eq!(sink.wait_for(1)[0].body, br#"{"z":"e1","a":1}"#);
    let one = "subscriptions/from-the-file";
    assert_eq!(server.api(one)["origin"], "config");
    for method in ["PUT", "PATCH", "DELETE"] {
        assert_eq!(server.tell(method, one, &json!({"enabled": false})).status, 409, "{method}");
    }
    server.reconfigure("");
    until("it is gone", || server.api_raw(one).status == 404);
    assert_eq!(server.publish(&json!({"event": "made.up", "id": "e2"})), 0);
}

#[test]
fn health_and_figures_say_what_was_seen() {
    let server = Server::start();
    for time in ["average_response_time", "p50", "p95", "p99"] {
        let before = &server.api("stats")["overall"][time];
        assert!(before.is_null(), "{time} is {before} before anything was measured");
    }
    let sink = Sink::scripted(|_, before| Reply::Status(if before % 2 == 0 { 500 } else { 200 }));
    let id = server.subscribe(&json!({"name": "s", "url": sink.url("/"), "events": ["*"], "retry_policy": {"max_attempts": 2, "base": "10ms"}}));
    for at in 0..4 {
        server.publish(&json!({"event": "made.up", "id": format!("e{at}")}));
        sink.wait_for(2 * (at + 1));
    }
    until("the figures", || server.api("stats")["overall"]["successful_deliveries"] == 4);
    let stats = server.api("stats");
    for own in [&stats["overall"], &stats["subscriptions"][&id]] {
        let figures = ["total_sent", "successful_deliveries", "failed_deliveries", "retry_attempts"]
            .map(|key| own[key].as_u64().unwrap());
        assert_eq!(figures, [8, 4, 4, 4]);
        assert!(own["average_response_time"].as_f64().unwrap() > 0.0);
        assert!(own["p50"].as_f64().unwrap() <= own["p95"].as_f64().unwrap());
        assert!(own["p95"].as_f64().unwrap() <= own["p99"].as_f64().unwrap());
    }
    until("the first look", || server.api("health")["endpoints"][0]["status"] == "healthy");
    let unreachable = server.subscribe(&json!({"name": "u", "url": "http://127.0.0.1:1/", "events": ["a"]}));
    let seen = server.tell("POST", &format!("subscriptions/{unreachable}/check"), &json!({})).json();
    assert_eq!((&seen["status"], &seen["response_code"]), (&json!("unreachable"), &Value::Null));
    let metrics = crate::harness::exchange(server.inspector, "GET", "/metrics", &[], b"").body;
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(metrics.contains("tagohook_retries_total 4"), "{metrics}");
    for line in [
        format!("tagohook_endpoint_healthy{{subscription=\"{id}\"}} 1"),
        format!("tagohook_messages_pending{{subscription=\"{id}\"}} 0"),
        format!("tagohook_response_time_seconds{{subscription=\"{id}\",quantile=\"0.95\"}} 0.0"),
    ] {
        assert!(metrics.contains(&line), "{line} is not in {metrics}");
    }
}

#[test]
fn the_new_routes_keep_strangers_out_and_tell_faults_as_problems() {
    let server = Server::start();
    let strange = [("Origin", "http://evil.example"), ("Content-Type", "application/json")];
    for (method, path) in [
        ("POST", "events"),
        ("POST", "subscriptions"),
        ("DELETE", "subscriptions/x"),
        ("POST", "dead-letters/replay"),
    ] {
        let answer =
            crate::harness::exchange(server.inspector, method, &format!("/api/v1/{path}"), &strange, b"{}");
        assert_eq!(answer.status, 403, "{method} {path}");
    }
    for (method, path, status) in [
        ("GET", "subscriptions/none", 404),
        ("PUT", "subscriptions/none", 404),
        ("DELETE", "dead-letters/none", 404),
        ("GET", "messages/none", 404),
        ("POST", "messages", 405),
        ("PUT", "subscriptions", 405),
        ("GET", "events", 405),
        ("POST", "subscriptions/none/test", 404),
        ("POST", "dead-letters/none/replay", 404),
    ] {
        let answer = server.tell(method, path, &json!({}));
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{method} {path}");
    }
    assert_eq!(server.api_raw("messages?status=lost").status, 400);
    let text = crate::harness::exchange(
        server.inspector,
        "POST",
        "/api/v1/events",
        &[("Content-Type", "text/plain")],
        b"{}",
    );
    assert_eq!(text.status, 415);
}
