//! The whole loop on one machine: publish, sign, send, receive, verify, deduplicate, show; and it ends.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::harness::{SECRET, Server, Sink, hmac_hex, until};

fn own_receiver(server: &Server, more: Value) -> Value {
    let mut subscription = json!({
        "url": format!("http://{}/webhook/tagorun", server.receiver),
        "events": ["*"],
        "retry_policy": {"max_attempts": 2, "base": "20ms"},
    });
    for (key, value) in more.as_object().unwrap() {
        subscription[key] = value.clone();
    }
    subscription
}

/// Waits until nothing is on its way any more.
fn settle(server: &Server) {
    until("an end", || {
        let waiting = server.messages("status=pending").len() + server.messages("status=sending").len();
        waiting == 0 && {
            // What was received last may still lead to something.
            std::thread::sleep(std::time::Duration::from_millis(150));
            server.messages("status=pending").is_empty() && server.messages("status=sending").is_empty()
        }
    });
}

#[test]
fn every_event_of_the_catalogue_goes_round_once() {
    let server = Server::start();
    server.subscribe(&own_receiver(&server, json!({"name": "loop"})));
    let types = server.api("event-types")["event_types"].as_array().unwrap().clone();
    assert!(types.len() >= 32);
    for known in &types {
        let name = known["name"].as_str().unwrap();
        let example = server.api(&format!("event-types/{name}"))["example"].clone();
        assert_eq!(server.publish(&example), 1, "{name}");
    }
    until("all of them", || server.deliveries("source=tagorun").len() >= types.len());
    settle(&server);
    let rows = server.deliveries("source=tagorun");
    assert_eq!(rows.len(), types.len(), "none twice");
    assert!(rows.iter().all(|row| row["verdict"] == "accepted"));
    let names: HashSet<&str> = rows.iter().map(|row| row["event_type"].as_str().unwrap()).collect();
    assert_eq!(names.len(), types.len());
    assert_eq!(server.messages("status=delivered").len(), types.len());
    let stats = server.api("stats");
    assert_eq!(stats["overall"]["total_sent"], json!(types.len()));
    assert_eq!(stats["overall"]["failed_deliveries"], json!(0));
}

#[test]
fn a_loop_ends_with_ids_without_and_with_a_template() {
    for template in [
        Value::Null,
        json!({"event": "changed.once", "was": "{{event.id}}"}),
        json!({"event": "user.login", "id": "new-{{event.id}}", "user": "{{user}}", "timestamp": "{{event.timestamp}}"}),
    ] {
        let server = Server::start();
        for name in ["one", "two", "three"] {
            let more = json!({"name": name, "payload_template": template});
            server.subscribe(&own_receiver(&server, more));
        }
        let event =
            json!({"event": "user.login", "id": "loop-1", "user": {"id": "u", "email": "a@b.example"}});
        assert_eq!(server.publish(&event), 3);
        settle(&server);
        let sent = server.messages("").len();
        assert!((3..=15).contains(&sent), "{sent} messages for {template}");
        let direct = server.messages("").iter().filter(|row| row["delivery_id"].is_null()).count();
        assert_eq!(direct, 3);
    }
}

#[test]
fn an_accepted_delivery_goes_onward_as_its_own_bytes_signed_and_named() {
    let server = Server::start();
    let sink = Sink::start();
    server.subscribe(
        &json!({"name": "onward", "url": sink.url("/x?y=1"), "events": ["user.*"], "sources": ["tagorun"]}),
    );
    let body = br#"{ "id":"e1", "event":"user.login","timestamp":"2026-03-09T07:14:58.402Z", "user":{"id":"u","email":"a@b.example"},"n":1.0,"big":123456789012345678901234567890}"#;
    assert_eq!(server.post_signed(body).status, 200);
    assert_eq!(server.post_signed(body).word(), "already_processed");
    assert_eq!(server.post_signed(b"{\"event\":\"system.alert\",\"id\":\"e2\"}").status, 200);
    let seen = sink.wait_for(1);
    settle(&server);
    assert_eq!(sink.count(), 1, "a duplicate and another type lead to nothing");
    let request = &seen[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/x?y=1"));
    assert_eq!(request.body, body);
    assert_eq!(request.header("x-tagorun-signature"), hmac_hex(SECRET.as_bytes(), body));
    assert_eq!(request.header("x-tagorun-event-id"), "e1");
    assert_eq!(request.header("x-tagorun-attempt"), "1");
    assert_eq!(request.header("content-type"), "application/json");
    let message = server.api(&format!("messages/{}", request.header("x-tagorun-message-id")));
    assert_eq!(message["status"], "delivered");
    assert_eq!(message["attempts"][0]["status"], 200);
    assert_eq!(message["attempts"][0]["response_body"], "ok");
    let delivery = server.deliveries("event_id=e1&verdict=accepted").remove(0);
    assert_eq!(message["delivery_id"], delivery["id"]);
}

#[test]
fn points_compressed_bodies_and_forms_are_read_before_they_go_onward() {
    let server = Server::start();
    let sink = Sink::start();
    server.subscribe(&json!({
        "name": "points", "url": sink.url("/"), "events": ["data.received"],
        "payload_template": {"device": "{{device.id}}", "value": "{{data.value}}", "all": "{{data.variables}}"},
        "filters": {"data.*": {"conditions": [{"field": "data.value", "operator": ">", "value": 20}]}},
    }));
    let points = r#"[{"id":"65a0f3c2d4b1e7000a3f9b21","device":"d1","variable":"t","value":21.50,"time":"2026-03-09T07:14:58.402Z"}]"#;
    let token = format!("Bearer {}", crate::harness::TOKEN);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, points.as_bytes()).unwrap();
    let headers = [("Authorization", token.as_str()), ("Content-Encoding", "gzip")];
    assert_eq!(server.post("/webhook/tagoio", &headers, &gzip.finish().unwrap()).status, 200);
    let seen = sink.wait_for(1);
    assert_eq!(
        String::from_utf8(seen[0].body.clone()).unwrap(),
        format!(r#"{{"device":"d1","value":21.50,"all":{points}}}"#)
    );
}

#[test]
fn captures_and_refusals_go_nowhere_and_a_new_subscription_gets_no_history() {
    let server = Server::start();
    let sink = Sink::start();
    assert_eq!(server.post_signed(b"{\"event\":\"a.b\",\"id\":\"before\"}").status, 200);
    server.subscribe(&json!({"name": "all", "url": sink.url("/"), "events": ["*"]}));
    server.ask("POST", "/webhook-test", &[]);
    server.post("/webhook/tagorun", &[], b"{\"event\":\"a.b\",\"id\":\"unsigned\"}");
    assert_eq!(server.post_signed(b"{\"event\":\"a.b\",\"id\":\"after\"}").status, 200);
    sink.wait_for(1);
    settle(&server);
    let ids: Vec<String> =
        sink.seen().iter().map(|request| request.header("x-tagorun-event-id").to_owned()).collect();
    assert_eq!(ids, ["after"]);
    let before = server.deliveries("event_id=before").remove(0);
    let told = server.api(&format!("deliveries/{}/subscriptions", before["id"].as_str().unwrap()));
    assert_eq!(told["subscriptions"][0]["outcome"], "later");
}
