//! Deliveries sent again: to our own receiver, to a subscription, to a URL.

use serde_json::{Value, json};

use crate::harness::{SECRET, Server, Setup, Sink, TOKEN, hmac_hex, login, standard_webhooks, until};

fn replay(server: &Server, id: &str, asked: &Value) -> Value {
    let answer = server.tell("POST", &format!("deliveries/{id}/replay"), asked);
    assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

fn id_of(delivery: &Value) -> String {
    delivery["id"].as_str().unwrap().to_owned()
}

#[test]
fn ui_18_ui_19_a_replay_to_our_receiver_has_the_same_bytes_and_is_linked() {
    let server = Server::start();
    for (body, kind) in [
        (b"plain text".to_vec(), "text/plain"),
        (b"a=1&b=%20".to_vec(), "application/x-www-form-urlencoded"),
        (b"\x00\xff binary".to_vec(), "application/octet-stream"),
        (b"{ \"n\" : 1.0,\n \"big\": 1152921506151679042 }".to_vec(), "application/json"),
    ] {
        let headers = [
            ("Content-Type", kind),
            ("X-Kept", "yes"),
            ("X-Kept", "twice"),
            ("Connection", "keep-alive"),
            ("Expect", "100-continue"),
            ("X-Tagohook-Replay", "forged"),
        ];
        server.post("/webhook-test/x?a=1", &headers[..4], &body);
        let original = server.newest();
        let made = replay(&server, &id_of(&original), &json!({"to": "receiver"}));
        assert_eq!(made["status"], 200);
        let again = server.delivery(made["delivery_id"].as_str().unwrap());
        assert_ne!(again["id"], original["id"]);
        assert_eq!(server.raw(&id_of(&again)), body);
        assert_eq!(again["path"], original["path"]);
        let line = |delivery: &Value, name: &str| -> Vec<String> {
            let lines = delivery["headers"].as_array().unwrap().iter();
            let named = lines.filter(|line| line[0].as_str().unwrap().eq_ignore_ascii_case(name));
            named.map(|line| line[1].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(line(&again, "content-type"), [kind]);
        assert_eq!(line(&again, "x-kept"), ["yes", "twice"]);
        assert_eq!(line(&again, "expect").len() + line(&again, "transfer-encoding").len(), 0);
        assert_eq!(line(&again, "host"), [server.receiver.to_string()]);
        assert_eq!(line(&again, "x-tagohook-replay"), [made["replay_id"].as_str().unwrap()]);
        assert_eq!(again["replay_of"], original["id"]);
        assert_eq!(server.delivery(&id_of(&original))["replays"][0]["delivery_id"], again["id"]);
    }
    server.post("/webhook-test", &[("X-Tagohook-Replay", "forged")], b"x");
    assert!(server.newest()["replay_of"].is_null(), "only what we sent is a replay");
}

#[test]
fn a_refused_delivery_is_put_right_by_a_fresh_signature_or_an_edit() {
    let server = Server::start();
    let body = login("evt_1");
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &"ab".repeat(32))], body.as_bytes());
    let refused = server.newest();
    let id = id_of(&refused);
    for (signature, verdict) in
        [("original", "rejected"), ("none", "rejected"), ("fresh", "accepted"), ("fresh", "duplicate")]
    {
        let made = replay(&server, &id, &json!({"to": "receiver", "signature": signature}));
        let again = server.delivery(made["delivery_id"].as_str().unwrap());
        assert_eq!((&again["verdict"], &made["status"]), (&json!(verdict), &again["status"]), "{signature}");
    }
    let edited = replay(
        &server,
        &id,
        &json!({"body": login("evt_2"), "path": "/webhook/tagorun/edited",
        "headers": [["X-New", "1"], ["Content-Type", "application/json"]]}),
    );
    let again = server.delivery(edited["delivery_id"].as_str().unwrap());
    assert_eq!((&again["event_id"], &again["verdict"]), (&json!("evt_2"), &json!("accepted")));
    assert_eq!((&again["path"], &edited["edited"]), (&json!("/webhook/tagorun/edited"), &json!(true)));
    assert_eq!(server.api("replays")["replays"].as_array().unwrap().len(), 5);
    let one = server.api(&format!("replays/{}", edited["replay_id"].as_str().unwrap()));
    assert_eq!(one["delivery_id"], again["id"]);
}

#[test]
fn sig_24_a_replay_of_an_old_event_has_the_time_of_now() {
    let source = "[[source]]\nname = \"sw\"\nsignature = \"standard-webhooks\"\nsecrets = [\"file:signing-secret\"]\nschema = \"off\"\n";
    let server = Setup::new(source).start();
    let body = br#"{"type":"made.up"}"#;
    let old = jiff::Timestamp::now().as_second() - 600;
    let signed = standard_webhooks(SECRET.as_bytes(), "msg_1", old, body);
    let headers =
        [("webhook-id", "msg_1"), ("webhook-timestamp", &*old.to_string()), ("webhook-signature", &*signed)];
    server.post("/webhook/sw", &headers, body);
    let stale = server.newest();
    assert_eq!(stale["reason"], "stale");
    let again = replay(&server, &id_of(&stale), &json!({"signature": "original"}));
    assert_eq!(again["status"], 401);
    let again = replay(&server, &id_of(&stale), &json!({}));
    let again = server.delivery(again["delivery_id"].as_str().unwrap());
    assert_eq!((&again["verdict"], &again["event_id"]), (&json!("accepted"), &json!("msg_1")));
}

#[test]
fn the_sources_own_credential_goes_with_it_and_a_received_one_goes_nowhere() {
    let server = Server::start();
    let body = br#"[{"id":"66f1a2b3c4d5e6f700000001","variable":"co2","value":0}]"#;
    server.post("/webhook/tagoio", &[("Authorization", "Bearer wrong-token-0123456789")], body);
    let refused = server.newest();
    let made = replay(&server, &id_of(&refused), &json!({}));
    assert_eq!(server.delivery(made["delivery_id"].as_str().unwrap())["verdict"], "accepted");
    let sink = Sink::start();
    let made = replay(&server, &id_of(&refused), &json!({"to": sink.url("/x?y=1")}));
    assert_eq!(
        (&made["status"], &made["answer"], &made["delivery_id"]),
        (&json!(200), &json!("ok"), &Value::Null)
    );
    let seen = sink.wait_for(1).remove(0);
    assert_eq!((seen.body.as_slice(), seen.path.as_str()), (body.as_slice(), "/x?y=1"));
    assert_eq!(seen.header("authorization"), "", "neither the hash nor our token");
    assert!(!format!("{seen:?}").contains(TOKEN));
    let secret = sink.url("/x?token=opens-something").replace("http://", "http://u:passw0rd@");
    let made = replay(&server, &id_of(&refused), &json!({"to": secret}));
    assert_eq!(sink.wait_for(2).remove(1).path, "/x?token=opens-something");
    assert!(made["to"].as_str().unwrap().contains("u:masked@"), "{made}");
    for told in [server.api("replays"), server.api(&format!("deliveries/{}", id_of(&refused)))] {
        let told = told.to_string();
        assert!(!told.contains("passw0rd") && !told.contains("opens-something"), "{told}");
    }
    let made = replay(
        &server,
        &id_of(&refused),
        &json!({"to": sink.url("/"), "headers": {"Authorization": "Bearer typed"}}),
    );
    assert_eq!(made["status"], 200);
    assert_eq!(sink.wait_for(3)[2].header("authorization"), "Bearer typed");
}

#[test]
fn a_subscription_makes_its_own_request_and_forbidden_addresses_are_refused() {
    let server = Server::start();
    let sink = Sink::start();
    server.post_signed(login("evt_1").as_bytes());
    let id = id_of(&server.newest());
    let to = server.subscribe(&json!({"name": "a", "url": sink.url("/s"), "events": ["user.login"], "payload_template": {"who": "{{user.id}}"}}));
    let made = replay(&server, &id, &json!({"to": to}));
    let message = made["message_id"].as_str().unwrap();
    until("the message", || server.api(&format!("messages/{message}"))["status"] == "delivered");
    assert_eq!(sink.seen()[0].body, br#"{"who":"u1"}"#);
    assert_eq!(sink.seen()[0].header("x-tagorun-signature"), hmac_hex(SECRET.as_bytes(), br#"{"who":"u1"}"#));
    for (asked, pointer) in [
        (json!({"to": "http://169.254.169.254/"}), "/to"),
        (json!({"to": "nowhere"}), "/to"),
        (json!({"to": 5}), "/to"),
        (json!({"signature": "maybe"}), "/signature"),
        (json!({"headers": [["a"]]}), "/headers"),
        (json!({"body": "a", "body_base64": "YQ=="}), "/body_base64"),
        (json!({"path": "x"}), "/path"),
        (json!({"method": "BREW"}), ""),
        (json!({"to": to, "body": "x"}), ""),
        (json!({"colour": 1}), "/colour"),
    ] {
        let answer = server.tell("POST", &format!("deliveries/{id}/replay"), &asked);
        assert_eq!(answer.status, 400, "{asked}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{asked}");
    }
    assert_eq!(server.tell("POST", "deliveries/nothing/replay", &json!({})).status, 404);
    let made = replay(&server, &id, &json!({"to": "http://127.0.0.1:1/"}));
    assert!(made["status"].is_null() && made["error"].as_str().unwrap().contains("refused"), "{made}");
}

#[test]
fn the_form_of_the_page_sends_again_and_untouched_fields_change_nothing() {
    let server = Server::start();
    let body = "{\"a\":1,\r\n\"b\":\"x\"}\n";
    server.post(
        "/webhook-test/form?x=1",
        &[("X-A", "1"), ("Content-Type", "application/json")],
        body.as_bytes(),
    );
    let original = server.newest();
    let id = id_of(&original);
    let lines = original["headers"].as_array().unwrap().iter();
    let headers: String = lines
        .map(|line| format!("{}: {}\r\n", line[0].as_str().unwrap(), line[1].as_str().unwrap()))
        .collect();
    let post = |fields: &[(&str, &str)]| {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers =
            [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
        crate::harness::exchange(
            server.inspector,
            "POST",
            &format!("/deliveries/{id}/replay"),
            &headers,
            form.as_bytes(),
        )
    };
    // As a browser sends the fields: every line break is CRLF.
    let shown = body.replace("\r\n", "\n").replace('\n', "\r\n");
    let untouched = [
        ("to", "receiver"),
        ("url", ""),
        ("signature", "fresh"),
        ("method", "POST"),
        ("path", "/webhook-test/form?x=1"),
        ("headers", &headers),
        ("body", &shown),
    ];
    let answer = post(&untouched);
    assert_eq!(answer.status, 303, "{}", String::from_utf8_lossy(&answer.body));
    let again = server.newest();
    assert_eq!(answer.header("location").unwrap(), format!("/deliveries/{}", id_of(&again)));
    assert_eq!(server.raw(&id_of(&again)), body.as_bytes());
    assert_eq!(server.api("replays")["replays"][0]["edited"], false);
    let mut edited = untouched;
    edited[6].1 = "{\"a\":2}";
    edited[5].1 = "X-A: 2\r\n\r\nX-B: 3";
    post(&edited);
    let again = server.newest();
    assert_eq!(server.raw(&id_of(&again)), b"{\"a\":2}");
    assert_eq!(server.api("replays")["replays"][0]["edited"], true);
    edited[0].1 = "url";
    edited[1].1 = "http://169.254.169.254/";
    assert_eq!(post(&edited).status, 400);
    let page = crate::harness::exchange(server.inspector, "GET", &format!("/deliveries/{id}"), &[], b"");
    let page = String::from_utf8_lossy(&page.body);
    // In the words of the form, and of the page of a run.
    for words in ["<bdi>this receiver</bdi>", "re-signed", "answered 200"] {
        assert!(page.contains(words), "{words} is not on {page}");
    }
}

#[test]
fn a_replay_to_a_url_carries_the_stored_query_and_where_it_is_asked_for_the_path() {
    let server = Server::start();
    let sink = Sink::start();
    server.ask("GET", "/webhook-test/deep?event=up&token=a-token-that-is-long-enough&x=%C3%A9", &[]);
    let id = id_of(&server.newest());
    for (target, path) in [
        ("/hook", "/hook?event=up&x=%C3%A9"),
        ("/hook?event=mine", "/hook?event=mine&x=%C3%A9"),
        ("/base/*", "/base/webhook-test/deep?event=up&x=%C3%A9"),
    ] {
        let before = sink.count();
        let made = replay(&server, &id, &json!({"to": sink.url(target)}));
        assert_eq!((&made["status"], &made["query_left_out"]), (&json!(200), &json!(["token"])));
        let request = sink.wait_for(before + 1).remove(before);
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", path));
    }
    let answer =
        server.tell("POST", "deliveries/replay", &json!({"method": "GET", "to": sink.url("/run/*")}));
    assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
    let request = sink.wait_for(4).remove(3);
    assert_eq!(request.path, "/run/webhook-test/deep?event=up&x=%C3%A9");
    let page = crate::harness::exchange(server.inspector, "GET", &format!("/deliveries/{id}"), &[], b"");
    let page = String::from_utf8_lossy(&page.body).into_owned();
    assert!(page.contains("without <bdi>token</bdi>: secrets in it are not kept"), "the form says so");
}
