//! Schema drift, a schema made of a delivery, devices and their silences.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::{Server, Setup, Sink, exchange, until};

const OPEN: &str = "[[source]]\nname = \"open\"\nsignature = \"none\"\n";

fn open(more: &str) -> Server {
    Setup::new(&format!("{OPEN}{more}")).start()
}

fn post(server: &Server, body: &Value) -> String {
    let answer = server.post("/webhook/open", &[], body.to_string().as_bytes());
    let newest = || server.newest()["id"].as_str().unwrap().to_owned();
    answer.json()["delivery_id"].as_str().map_or_else(newest, str::to_owned)
}

/// Waits until so many deliveries of an event type were learnt.
fn learnt(server: &Server, event_type: &str, deliveries: u64) -> Value {
    let path = format!("drift?source=open&event_type={event_type}");
    until("the learner", || server.api(&path)["drift"][0]["deliveries"] == deliveries);
    server.api(&path)["drift"][0].clone()
}

fn finding<'a>(known: &'a Value, kind: &str, pointer: &str) -> &'a Value {
    let findings = known["findings"].as_array().unwrap();
    let is_it = |finding: &&Value| finding["kind"] == kind && finding["pointer"] == pointer;
    findings.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} at {pointer}: {findings:?}"))
}

#[test]
fn drift_is_learnt_from_real_traffic_and_every_finding_names_its_delivery() {
    let server = open("");
    let login =
        |user: Value| json!({"event": "user.login", "timestamp": "2026-03-09T07:14:58Z", "user": user});
    for _ in 0..6 {
        post(&server, &login(json!({"id": "u", "email": "a@example.com"})));
    }
    let changed =
        post(&server, &login(json!({"id": "u", "email": "a@example.com", "name": 7, "ro<b>le": {"x": [1]}})));
    let refused = server.post("/webhook/open", &[], login(json!({"id": "u"})).to_string().as_bytes());
    assert_eq!(refused.status, 400);
    let known = learnt(&server, "user.login", 8);
    assert_eq!((known["refused"].clone(), known["samples"].clone()), (json!(1), json!(8)));
    assert_eq!(finding(&known, "new_field", "/user/ro<b>le")["delivery_id"], changed.as_str());
    assert_eq!(finding(&known, "other_type", "/user/name")["delivery_id"], changed.as_str());
    let missing = finding(&known, "missing", "/user/email")["sentence"].as_str().unwrap().to_owned();
    assert!(missing.contains("1 of 8 (12.5 %)"), "{missing}");
    let pointers: Vec<&Value> =
        known["fields"].as_array().unwrap().iter().map(|field| &field["pointer"]).collect();
    assert!(pointers.contains(&&json!("/user/ro<b>le/x/*")), "{pointers:?}");
    let page = exchange(server.inspector, "GET", "/drift?event_type=user.login", &[], b"");
    let text = String::from_utf8(page.body).unwrap();
    assert!(page.status == 200 && text.contains("ro&#60;b&#62;le") && !text.contains("<b>"), "{text}");
    let of_type = exchange(server.inspector, "GET", "/event-types/user.login", &[], b"");
    assert!(String::from_utf8(of_type.body).unwrap().contains("is required and missing in 1 of 8"));
}

#[test]
fn new_event_types_come_first_and_pages_go_on() {
    let server = open("");
    for name in ["a.one", "a.two", "a.three"] {
        post(&server, &json!({"event": name}));
        learnt(&server, name, 1);
    }
    let first = server.api("drift?limit=2");
    let names = |page: &Value| -> Vec<String> {
        let rows = page["drift"].as_array().unwrap();
        rows.iter().map(|known| known["event_type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["a.three", "a.two"]);
    assert_eq!(first["drift"][0]["in_catalogue"], false);
    let next = server.api(&format!("drift?limit=2&before={}", first["next"].as_str().unwrap()));
    assert_eq!((names(&next), next["next"].clone()), (vec!["a.one".to_owned()], Value::Null));
    assert_eq!(server.api_raw("drift?limit=101").status, 400);
    assert_eq!(server.api_raw("drift?colour=red").status, 400);
}

#[test]
fn a_delivery_is_made_the_schema_saved_once_and_in_force_after_a_restart() {
    let schemas = tempfile::tempdir().unwrap();
    let config = format!("schemas_dir = {:?}\n{OPEN}", schemas.path().display().to_string());
    let server = Setup::new(&config).start();
    let id = post(
        &server,
        &json!({"event": "plant.watered", "litres": 2, "beds": [{"name": "a"}, {"name": "b", "dry": true}]}),
    );
    let path = format!("deliveries/{id}/schema");
    let made = server.tell("POST", &path, &json!({}));
    assert_eq!((made.status, made.json()["saved_as"].clone()), (200, Value::Null));
    assert_eq!(made.json()["schema"]["properties"]["beds"]["items"]["required"], json!(["name"]));
    assert_eq!(std::fs::read_dir(schemas.path()).unwrap().count(), 0, "nothing is saved unless asked for");
    let saved = server.tell("POST", &path, &json!({"save": true}));
    assert_eq!(saved.status, 201);
    let file = schemas.path().join("plant.watered.json");
    std::fs::write(&file, r#"{"required": ["event", "litres"]}"#).unwrap();
    let again = server.tell("POST", &path, &json!({"save": true}));
    assert_eq!((again.status, std::fs::read_to_string(&file).unwrap().len()), (409, 33));
    for bad in [json!({"save": 1}), json!({"safe": true})] {
        assert_eq!(server.tell("POST", &path, &bad).status, 400);
    }
    let odd = post(&server, &json!({"event": "../../escape"}));
    assert_eq!(server.tell("POST", &format!("deliveries/{odd}/schema"), &json!({"save": true})).status, 400);
    let server = server.kill_and_restart();
    let answer = server.post("/webhook/open", &[], br#"{"event":"plant.watered"}"#);
    assert_eq!(answer.status, 400);
}

#[test]
fn the_page_saves_a_schema_too_and_says_where_none_can_be() {
    let server = open("");
    let id = post(&server, &json!({"event": "plant.watered", "</script><b>": 1}));
    let page = |method: &str, headers: &[(&str, &str)]| {
        let answer = exchange(server.inspector, method, &format!("/deliveries/{id}/schema"), headers, b"");
        (answer.status, String::from_utf8(answer.body).unwrap())
    };
    let (status, text) = page("GET", &[]);
    assert!(
        status == 200 && text.contains("&#60;/script&#62;&#60;b&#62;") && !text.contains("<b>"),
        "{text}"
    );
    let origin = format!("http://{}", server.inspector);
    let (status, text) =
        page("POST", &[("Origin", &origin), ("Content-Type", "application/x-www-form-urlencoded")]);
    assert!(status == 400 && text.contains("schemas_dir"), "{status} {text}");
    assert_eq!(page("POST", &[("Origin", "http://evil.example")]).0, 403);
}

#[test]
fn devices_are_known_by_their_rhythm_values_and_clock() {
    let server = open("");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let id = "x/y z?<b>%2F";
    for (n, at) in [now - 600, now - 500, now - 550, now].into_iter().enumerate() {
        post(
            &server,
            &json!({"event": "data.received", "timestamp": at, "device": {"id": id, "name": "Pump 1"},
            "data": {"variables": [{"variable": "co2", "value": 400 + n, "unit": "ppm"}]}}),
        );
    }
    let points = json!([{"id": "p1", "variable": "t", "value": -1.5, "device": "d2"}]);
    post(&server, &points);
    until("the learner", || server.api("entities")["entities"].as_array().unwrap().len() == 2);
    let listed = server.api("entities?q=pUMP&source=open");
    let entity = &listed["entities"][0];
    assert_eq!((entity["entity"].as_str(), entity["name"].as_str()), (Some(id), Some("Pump 1")));
    assert_eq!((entity["deliveries"].clone(), entity["out_of_order"].clone()), (json!(4), json!(1)));
    let path = "entities/open/x%2Fy%20z%3F%3Cb%3E%252F";
    let one = server.api(path);
    let series = one["series"].as_array().unwrap();
    assert_eq!((series[0]["name"].as_str(), series[0]["unit"].as_str()), (Some("co2"), Some("ppm")));
    let values: Vec<f64> =
        series[0]["points"].as_array().unwrap().iter().map(|point| point[1].as_f64().unwrap()).collect();
    assert_eq!(values, [400.0, 402.0, 401.0, 403.0], "by the time of the events");
    assert_eq!(one["log"]["deliveries"].as_array().unwrap().len(), 4);
    let first = server.api(&format!("{path}?limit=3"));
    let next = server.api(&format!("{path}?limit=3&before={}", first["log"]["next"].as_str().unwrap()));
    assert_eq!(next["log"]["deliveries"].as_array().unwrap().len(), 1);
    let page = exchange(server.inspector, "GET", &format!("/{path}"), &[], b"");
    let text = String::from_utf8(page.body).unwrap();
    assert!(page.status == 200 && text.contains("class=\"line main\"") && !text.contains("<b>"), "{text}");
    assert_eq!(server.api("entities/open/d2")["series"][0]["points"][0][1], -1.5);
    assert_eq!(server.api_raw("entities/open/nobody").status, 404);
    assert_eq!(server.api_raw("entities?sort=up").status, 400);
    assert_eq!(server.api_raw("entities?before=x").status, 400);
}

#[test]
fn a_silent_device_is_told_of_once_over_a_restart_and_again_when_it_falls_silent_again() {
    let server = open("silence_after = \"1s\"\n");
    let sink = Sink::start();
    server.subscribe(&json!({"name": "ops", "url": sink.url("/"), "events": ["device.silent"]}));
    server.subscribe(
        &json!({"name": "all", "url": sink.url("/all"), "events": ["*"], "sources": ["published"]}),
    );
    let beat = json!({"event": "device.status_changed", "device": {"id": "d1", "name": "Pump 1"}});
    post(&server, &beat);
    // Not only sent: a message whose outcome is not kept yet is sent again after a crash.
    until("the first silence", || server.messages("status=delivered").len() == 1);
    let event = sink.seen()[0].json();
    assert_eq!(
        (event["event"].as_str(), event["device"]["name"].as_str()),
        (Some("device.silent"), Some("Pump 1"))
    );
    assert_eq!(
        (event["device"]["id"].as_str(), event["data"]["source"].as_str()),
        (Some("d1"), Some("open"))
    );
    assert!(event["data"]["silent_for_s"].as_u64().unwrap() >= 1 && event["data"]["last_seen"].is_string());
    let server = server.kill_and_restart();
    assert!(server.api("entities?silent=true")["entities"][0]["silent_since"].is_string());
    assert_eq!(server.tell("PATCH", "entities/open/d1", &json!({"name": "My pump"})).status, 200);
    post(&server, &beat);
    until("the second silence", || sink.seen().len() == 2);
    let ids: Vec<String> =
        sink.seen().iter().map(|seen| seen.json()["id"].as_str().unwrap().to_owned()).collect();
    assert_ne!(ids[0], ids[1], "the restart told nothing again");
    assert_eq!(sink.seen()[1].json()["device"]["name"], "My pump", "as somebody called it");
    assert!(sink.seen().iter().all(|seen| seen.path == "/"), "* does not stand for our own events");
}
