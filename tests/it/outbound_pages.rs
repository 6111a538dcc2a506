//! What the pages of the sender say: dead letters by cause, health by real attempts, messages and event types.

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Setup, Sink, exchange, until};

fn page(server: &Server, path: &str) -> String {
    let answer = exchange(server.inspector, "GET", path, &[], b"");
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(answer.status, 200, "{path}: {text}");
    text
}

/// Three dead letters of two causes at one endpoint.
fn with_letters() -> (Server, Sink, String) {
    let server = Server::start();
    let sink = Sink::scripted(|request, _| {
        Reply::Status(if request.header("X-TagoRUN-Event-Id") == "e3" { 403 } else { 500 })
    });
    let id = server.subscribe(&json!({
        "name": "Slack <facilities>", "url": sink.url("/x"), "events": ["made.up"], "retry_policy": {"max_attempts": 1},
    }));
    for event in ["e1", "e2", "e3"] {
        server.publish(&json!({"event": "made.up", "id": event}));
    }
    until("the dead letters", || server.dead_letters("").len() == 3);
    (server, sink, id)
}

#[test]
fn dead_letters_are_grouped_by_subscription_and_error_on_the_page_and_in_the_api() {
    let (server, _sink, id) = with_letters();
    let groups = server.api("dead-letters/groups")["groups"].as_array().unwrap().clone();
    let mut told: Vec<(String, u64)> = groups
        .iter()
        .map(|group| (group["error"].as_str().unwrap().to_owned(), group["count"].as_u64().unwrap()))
        .collect();
    told.sort();
    assert_eq!(told, [("HTTP 403".to_owned(), 1), ("HTTP 500".to_owned(), 2)]);
    assert!(groups.iter().all(|group| group["subscription_id"] == *id && group["since"].is_string()));
    let shown = page(&server, "/dead-letters");
    assert!(shown.contains("3 messages with 2 causes"), "{shown}");
    assert_eq!(shown.matches("class=\"panel letter-group\"").count(), 2);
    assert!(shown.contains("Slack &#60;facilities&#62;") && shown.contains("Retry all"), "{shown}");
    let one = page(&server, &format!("/dead-letters?subscription_id={id}&error_is=HTTP+500"));
    assert_eq!(one.matches("name=\"letter\"").count(), 2, "{one}");
    assert_eq!(server.api_raw("dead-letters/groups?colour=red").status, 400);
}

#[test]
fn a_group_or_chosen_letters_are_discarded_in_one_request_and_all_of_them_only_when_said() {
    let (server, _sink, id) = with_letters();
    let discard = |body: &Value| server.tell("POST", "dead-letters/discard", body);
    let group = json!({"subscription_id": id, "error_is": "HTTP 500"});
    let mut plan = group.clone();
    plan["dry_run"] = json!(true);
    assert_eq!(discard(&plan).json()["count"], 2);
    assert_eq!(discard(&json!({})).status, 400, "nothing was named");
    assert_eq!(discard(&json!({"ids": ["x"]})).status, 400);
    assert_eq!(discard(&json!({"ids": []})).status, 400);
    assert_eq!(server.dead_letters("").len(), 3, "so far only asked");
    let chosen = server.dead_letters("error_is=HTTP+403").remove(0)["id"].clone();
    assert_eq!(discard(&json!({"ids": [chosen]})).json()["discarded"], 1);
    assert_eq!(discard(&group).json()["discarded"], 2);
    assert!(server.dead_letters("").is_empty());
    assert_eq!(server.messages("status=dead").len(), 3, "their messages are kept");
    assert_eq!(discard(&json!({"all": true})).json()["discarded"], 0);
}

#[test]
fn chosen_letters_are_retried_in_one_request() {
    let (server, sink, _) = with_letters();
    let ids: Vec<Value> =
        server.dead_letters("error_is=HTTP+500").iter().map(|letter| letter["id"].clone()).collect();
    let before = sink.count();
    let told = server.tell("POST", "dead-letters/replay", &json!({"ids": ids})).json();
    assert_eq!(told["replayed"], 2);
    sink.wait_for(before + 2);
}

#[test]
fn the_command_line_counts_causes_and_discards_after_a_question() {
    let (server, _sink, id) = with_letters();
    let run = |arguments: &[&str]| {
        let done = server.command(&[&["dead-letters"], arguments].concat()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let (_, groups, _) = run(&["groups"]);
    assert!(groups.lines().count() == 3 && groups.contains("HTTP 500"), "{groups}");
    let (_, plan, _) = run(&["discard", "--error-is", "HTTP 500", "--dry-run"]);
    assert_eq!(plan.trim(), "2 dead letters would be discarded");
    let (code, _, why) = run(&["discard", "--all"]);
    assert_eq!(code, Some(2), "there is nobody to ask");
    assert!(why.contains("Discard 3 dead letters?") && why.contains("--yes"), "{why}");
    assert!(run(&["discard"]).0 == Some(2) && run(&["discard", "x", "--all"]).0 == Some(2));
    assert_eq!(server.dead_letters("").len(), 3);
    let (code, done, _) = run(&["discard", "--subscription", &id, "--error-is", "HTTP 500", "--yes"]);
    assert_eq!((code, done.trim()), (Some(0), "2 dead letters discarded"));
    let last = server.dead_letters("").remove(0)["id"].as_str().unwrap().to_owned();
    assert_eq!(run(&["drop", &last]).1.trim(), format!("discarded {last}"), "the old name does it too");
    assert!(server.dead_letters("").is_empty());
}

#[test]
fn an_endpoint_whose_real_attempts_fail_is_degraded_although_it_answers_head() {
    let server = Server::start();
    let sink = Sink::scripted(|_, _| Reply::Status(500));
    let bad = server.subscribe(&json!({
        "name": "Warehouse", "url": sink.url("/x"), "events": ["made.up"], "retry_policy": {"max_attempts": 1},
    }));
    server.subscribe(&json!({"name": "Quiet", "url": sink.url("/quiet"), "events": ["never"]}));
    for at in 0..4 {
        server.publish(&json!({"event": "made.up", "id": format!("e{at}")}));
    }
    until("the attempts", || server.dead_letters("").len() == 4);
    let checked = server.tell("POST", &format!("subscriptions/{bad}/check"), &json!({})).json();
    assert_eq!((&checked["status"], &checked["response_code"]), (&json!("degraded"), &json!(200)));
    assert_eq!(checked["attempts"], json!({"arrived": 0, "of": 4}));
    until("both endpoints are checked", || {
        let all = server.api("health")["endpoints"].as_array().unwrap().clone();
        all.iter().all(|endpoint| endpoint["response_code"] == 200)
    });
    let shown = page(&server, "/health");
    assert!(shown.contains("0 of the last 4 attempts succeeded"), "{shown}");
    assert!(shown.contains("1 of 2 endpoints needs attention."), "{shown}");
    let quiet = &shown[shown.find("Quiet").unwrap()..];
    let quiet = &quiet[..quiet.find("</tr>").unwrap()];
    assert!(quiet.contains("<td data-label=\"Real attempts\" class=\"dim\">–</td>"), "{quiet}");
    assert!(quiet.contains("<td data-label=\"p95\" class=\"num mono dim\">–</td>"), "{quiet}");
    // Mended: what failed before says nothing about the new address.
    server.tell("PATCH", &format!("subscriptions/{bad}"), &json!({"url": sink.url("/mended")}));
    let checked = server.tell("POST", &format!("subscriptions/{bad}/check"), &json!({})).json();
    assert_eq!(checked["status"], "healthy");
}

#[test]
fn a_health_check_waits_no_longer_than_its_subscription() {
    let server = Server::start();
    // Long enough for every check of one second to end first, and for none of five.
    let slow = format!("http://{}/webhook-test/slow?delay=3s", server.receiver);
    let id = server.subscribe(&json!({"name": "s", "url": slow, "events": ["never"], "timeout": 1}));
    let checked = server.tell("POST", &format!("subscriptions/{id}/check"), &json!({})).json();
    assert_eq!(checked["status"], "unreachable", "{checked}");
    assert!(checked["error"].as_str().unwrap().starts_with("timeout"), "{checked}");
}

#[test]
fn our_own_health_check_is_not_captured_and_nobody_can_hide_behind_its_header() {
    let server = Setup::new("[sender]\nhealth_interval = \"1s\"\n").start();
    let sink = Sink::start();
    let own = format!("http://{}/webhook-test/mine?status=503", server.receiver);
    let id = server.subscribe(&json!({"name": "own", "url": own, "events": ["made.up"]}));
    server.subscribe(&json!({"name": "other", "url": sink.url("/webhook-test/mine"), "events": ["made.up"]}));
    until("three checks", || {
        let all = server.api("health")["endpoints"].as_array().unwrap().clone();
        let own = all.iter().find(|endpoint| endpoint["id"] == *id).unwrap().clone();
        own["history"].as_array().unwrap().len() >= 3 && own["response_code"] == 503
    });
    assert!(server.deliveries("").is_empty(), "a check of ours was captured");
    for mark in ["0123456789abcdef0123456789abcdef", ""] {
        server.ask("HEAD", "/webhook-test/mine?status=503", &[("X-Tagohook-Probe", mark)]);
    }
    server.ask("POST", "/webhook-test/mine?status=503", &[("X-Tagohook-Probe", "x")]);
    assert_eq!(server.deliveries("verdict=captured").len(), 3);
}

#[test]
fn a_message_without_a_template_shows_its_event_once_and_one_with_a_template_both_laid_out() {
    let server = Server::start();
    let sink = Sink::start();
    server.subscribe(&json!({"name": "plain", "url": sink.url("/a"), "events": ["made.up"]}));
    server.subscribe(&json!({
        "name": "made", "url": sink.url("/b"), "events": ["made.up"], "payload_template": {"text": "v is {{v}}"},
    }));
    server.publish(&json!({"event": "made.up", "id": "e1", "v": 4711}));
    sink.wait_for(2);
    let shown: Vec<String> = server
        .messages("")
        .iter()
        .map(|row| page(&server, &format!("/messages/{}", row["id"].as_str().unwrap())))
        .collect();
    let is_plain = |text: &&String| text.contains("sent unchanged");
    let plain = shown.iter().find(is_plain).unwrap();
    assert!(!plain.contains("id=\"payload-title\""), "{plain}");
    assert_eq!(plain.matches("&#34;v&#34;: 4711").count(), 1, "laid out, once: {plain}");
    let made = shown.iter().find(|text| !is_plain(text)).unwrap();
    assert!(made.contains("&#34;text&#34;: &#34;v is 4711&#34;"), "{made}");
}

#[test]
fn event_types_say_how_often_and_when_they_were_seen_with_our_own_under_their_heading() {
    let server = Server::start();
    for id in ["e1", "e2"] {
        server.post_signed(
            json!({"id": id, "event": "made.up", "timestamp": "2026-03-09T07:14:58Z"}).to_string().as_bytes(),
        );
    }
    server.publish(&json!({"event": "webhook.test", "id": "p1"}));
    until("the learner", || page(&server, "/event-types").contains("Seen, not in the catalogue"));
    until("both", || {
        let shown = page(&server, "/event-types");
        let row = &shown[shown.find("<bdi>made.up</bdi>").unwrap()..];
        row[..row.find("</tr>").unwrap()].contains("<td data-label=\"Received\" class=\"num\">2</td>")
    });
    let shown = page(&server, "/event-types");
    let own = &shown[shown.find("Sent by tagohook").unwrap()..];
    for name in ["device.silent", "message.dead", "endpoint.disabled"] {
        assert!(own.contains(&format!("<bdi>{name}</bdi>")), "{name}");
    }
    let test = &shown[shown.find("<bdi>webhook.test</bdi>").unwrap()..];
    let test = &test[..test.find("</tr>").unwrap()];
    assert!(test.contains("<td data-label=\"Published\" class=\"num\">1</td>"), "{test}");
    assert!(test.contains("ago</time>") || test.contains("just now</time>"), "{test}");
    assert!(page(&server, "/event-types/webhook.test").contains("1 event published"), "{test}");
}

#[test]
fn a_refused_draft_has_every_fault_at_once() {
    let server = Server::start();
    let draft = json!({
        "name": "x", "url": "nowhere", "events": ["a.*.b"], "timeout": 0,
        "filters": {"data.threshold": {"conditions": [{"field": "a b", "operator": "eq", "value": 1}]}},
        "payload_template": {"text": "{{data.}"},
    });
    let asked = json!({"subscription": draft, "event_type": "webhook.test"});
    let told = server.tell("POST", "subscriptions/preview", &asked);
    assert_eq!(told.status, 400);
    let places: Vec<String> = told.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap().to_owned())
        .collect();
    for place in [
        "/url",
        "/events/0",
        "/timeout",
        "/filters/data.threshold/conditions/0/field",
        "/payload_template/text",
    ] {
        assert!(places.contains(&format!("/subscription{place}")), "{place} is not in {places:?}");
    }
    let created = server.tell("POST", "subscriptions", &draft);
    assert_eq!((created.status, created.json()["errors"].as_array().unwrap().len()), (400, places.len()));
}

#[test]
fn a_preview_says_what_a_template_can_name_and_takes_and_knows_the_masks_of_its_subscription() {
    let server = Server::start();
    let id = server.subscribe(&json!({
        "name": "x", "url": "http://127.0.0.1:9/", "events": ["*"],
        "signature": {"scheme": "tagorun", "secrets": ["a-secret-that-is-typed-in-0123"]},
    }));
    let mut draft = server.api(&format!("subscriptions/{id}"));
    assert_eq!(draft["signature"]["secrets"][0], "••••0123");
    draft["payload_template"] = json!({"n": "{{data.value}}"});
    let event = json!({"event": "made.up", "data": {"value": 1.5}});
    let asked = json!({"subscription": draft, "subscription_id": id, "event": event});
    let told = server.tell("POST", "subscriptions/preview", &asked).json();
    assert_eq!(told["payload"], r#"{"n":1.5}"#, "{told}");
    assert_eq!(told["placed"], json!([{"payload": "/n", "source": "data.value", "event": ["/data/value"]}]));
    let places = told["places"].as_array().unwrap();
    assert!(places.contains(&json!({"path": "data.value", "value": "1.5"})), "{places:?}");
    let stranger = json!({"subscription": draft, "event": event});
    assert_eq!(server.tell("POST", "subscriptions/preview", &stranger).status, 400, "whose mask is it?");
}

#[test]
fn a_source_tells_its_rules_its_traffic_and_its_secrets_only_by_name_and_end() {
    let config = "[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\nsignature = \"tagorun\"\n\
                  [[source]]\nname = \"lora\"\npreset = \"chirpstack\"\nsignature = \"none\"\nallow = [\"127.0.0.0/8\"]\n\
                  credentials = [{ bearer = \"file:tagoio-token\" }]\n";
    let server = Setup::new(config).start();
    assert_eq!(
        server.post_signed(br#"{"id":"a","event":"webhook.test","timestamp":"2026-03-09T07:14:58Z"}"#).status,
        200
    );
    assert_eq!(server.post("/webhook/tagorun", &[], b"{}").status, 401);
    until("the counts", || {
        let source = server.api("sources/tagorun");
        source["accepted_24h"] == 1 && source["refused_24h"] == 1
    });
    let source = server.api("sources/tagorun");
    assert_eq!(source["secrets"], json!([{"name": "file:signing-secret", "ends": "••••6789"}]));
    assert!(source["last_seen"].is_string() && source["url"].as_str().unwrap().ends_with("/webhook/tagorun"));
    let lora = server.api("sources/lora");
    assert_eq!((&lora["preset"], &lora["last_seen"]), (&json!("chirpstack"), &Value::Null));
    assert_eq!(lora["credentials"][0]["bearer"]["name"], "file:tagoio-token");
    assert_eq!(server.api("sources")["sources"].as_array().unwrap().len(), 2);
    assert_eq!(server.api_raw("sources/none").status, 404);
    for path in ["/sources", "/sources/tagorun", "/sources/lora"] {
        let shown = page(&server, path);
        for secret in [crate::harness::SECRET, crate::harness::TOKEN] {
            assert!(!shown.contains(secret) && !shown.contains(&secret[..8]), "{path}");
        }
    }
    let shown = page(&server, "/sources/lora");
    for words in [
        "ChirpStack",
        "Event endpoint URL(s)",
        "127.0.0.0/8",
        "Nothing received yet.",
        "/what-if?source=lora",
    ] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    assert!(page(&server, "/sources/tagorun").contains("1 rejected"));
}
