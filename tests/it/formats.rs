//! What real senders send, as they send it: where the event's name and id are, and which settings read them there.

use serde_json::{Value, json};

use crate::harness::{SECRET, Server, Setup, Sink, hmac_hex, standard_webhooks, until};

const CHIRPSTACK_UP: &str = include_str!("payloads/chirpstack_up.json");
const CHIRPSTACK_ACK: &str = include_str!("payloads/chirpstack_ack.json");
const THINGS_UP: &str = include_str!("payloads/the_things_stack_up.json");
const ALERTMANAGER: &str = include_str!("payloads/alertmanager.json");
const REGISTRY: &str = include_str!("payloads/docker_registry.json");

/// A server with a source `s` without signature and these lines in its entry.
fn with(lines: &str) -> Server {
    Setup::new(&format!("[[source]]\nname = \"s\"\nsignature = \"none\"\n{lines}\n")).start()
}

fn post(server: &Server, target: &str, body: &str) -> (u16, String) {
    let answer = server.post(target, &[], body.as_bytes());
    (answer.status, answer.word())
}

fn fields(delivery: &Value) -> [Option<&str>; 3] {
    ["event_type", "event_id", "entity"].map(|name| delivery[name].as_str())
}

fn notes(delivery: &Value, check: usize) -> String {
    delivery["checks"][check]["notes"].to_string()
}

const PROCESSED: (u16, &str) = (200, "processed");
const REPEATED: (u16, &str) = (200, "already_processed");

fn is((status, word): &(u16, String)) -> (u16, &str) {
    (*status, word)
}

#[test]
fn chirpstack_is_one_line_of_configuration_and_its_ack_is_not_a_repeat_of_its_uplink() {
    let server = with("preset = \"chirpstack\"");
    assert_eq!(is(&post(&server, "/webhook/s?event=up", CHIRPSTACK_UP)), PROCESSED);
    let id = "3ac7e3c4-4401-4b8d-9386-a5c902f9202d";
    let up = server.newest();
    assert_eq!(fields(&up), [Some("up"), Some(&*format!("{id}#up")), Some("0101010101010101")]);
    assert!(notes(&up, 5).contains("event name: query parameter event"), "{up}");
    assert!(notes(&up, 6).contains("part of the event id: event"), "{up}");
    assert!(up["diagnosis"].as_str().unwrap().contains("query parameter event"), "{up}");
    assert_eq!(is(&post(&server, "/webhook/s?event=ack", CHIRPSTACK_ACK)), PROCESSED);
    assert_eq!(is(&post(&server, "/webhook/s?event=up", CHIRPSTACK_UP)), REPEATED);
    assert_eq!(is(&post(&server, "/webhook/s?event=ack", CHIRPSTACK_ACK)), REPEATED);
}

#[test]
fn events_that_share_an_id_each_reach_a_subscription() {
    let server = with("preset = \"chirpstack\"");
    let sink = Sink::start();
    server.subscribe(&json!({"name": "all", "url": sink.url("/"), "events": ["*"]}));
    post(&server, "/webhook/s?event=up", CHIRPSTACK_UP);
    post(&server, "/webhook/s?event=ack", CHIRPSTACK_ACK);
    let mut ids: Vec<String> =
        sink.wait_for(2).iter().map(|request| request.header("X-TagoRUN-Event-Id").to_owned()).collect();
    ids.sort();
    let id = "3ac7e3c4-4401-4b8d-9386-a5c902f9202d";
    assert_eq!(ids, [format!("{id}#ack"), format!("{id}#up")]);
}

#[test]
fn the_things_stack_is_one_line_of_configuration() {
    let server = with("preset = \"the-things-stack\"");
    assert_eq!(is(&post(&server, "/webhook/s/up", THINGS_UP)), PROCESSED);
    let up = server.newest();
    assert_eq!(fields(&up), [Some("up"), None, Some("dev1")]);
    assert!(notes(&up, 5).contains("path below the source"), "{up}");
    assert_eq!(is(&post(&server, "/webhook/s/up", THINGS_UP)), REPEATED, "the same bytes within ten minutes");
    assert_eq!(is(&post(&server, "/webhook/s/", &THINGS_UP.replace("dev1", "dev2"))), PROCESSED);
    assert_eq!(fields(&server.newest()), [Some("unknown"), None, Some("dev2")]);
}

#[test]
fn alertmanager_docker_registry_node_red_and_apprise_are_one_line_each() {
    for (preset, content_type, body, [event, id, entity]) in [
        (
            "alertmanager",
            "application/json",
            format!("{ALERTMANAGER}\n"),
            [Some("firing"), None, Some("{}:{alertname=\"HighLoad\"}")],
        ),
        (
            "docker-registry",
            "application/vnd.docker.distribution.events.v1+json",
            REGISTRY.to_owned(),
            [Some("pull"), Some("320678d8-ca14-430f-8bb6-4ca139cd83f7"), Some("hello-world")],
        ),
        (
            "node-red",
            "application/json",
            r#"{"payload":21.5,"topic":"t"}"#.to_owned(),
            [Some("node-red"), None, None],
        ),
        (
            "apprise",
            "application/json",
            r#"{"version":"1.0","title":"t","message":"m","attachments":[],"type":"info","event":"x"}"#
                .to_owned(),
            [Some("info"), None, None],
        ),
    ] {
        let server = with(&format!("preset = \"{preset}\""));
        let answer = server.post("/webhook/s", &[("Content-Type", content_type)], body.as_bytes());
        assert_eq!((answer.status, answer.word().as_str()), PROCESSED, "{preset}");
        assert_eq!(fields(&server.newest()), [event, id, entity], "{preset}");
    }
}

#[test]
fn without_a_setting_the_diagnosis_shows_the_line_that_receives_such_a_sender() {
    let server = with("");
    for (target, body, setting) in [
        ("/webhook/s?event=up", CHIRPSTACK_UP, "preset = \"chirpstack\""),
        ("/webhook/s/up", THINGS_UP, "preset = \"the-things-stack\""),
        ("/webhook/s", ALERTMANAGER, "preset = \"alertmanager\""),
        ("/webhook/s", REGISTRY, "preset = \"docker-registry\""),
        ("/webhook/s?type=push", r#"{"a":1}"#, "event = \"query:type\""),
        ("/webhook/s/push", r#"{"a":1}"#, "event = \"path\""),
        ("/webhook/s", r#"{"eventType":"push"}"#, "event = \"/eventType\""),
    ] {
        assert_eq!(post(&server, target, body).0, 400, "{target}");
        let diagnosis = server.newest()["diagnosis"].as_str().unwrap().to_owned();
        assert!(diagnosis.contains(setting), "{target}: {diagnosis}");
    }
}

#[test]
fn the_name_is_read_where_the_source_says() {
    for (place, target, headers, body, event) in [
        ("query:kind", "/webhook/s?kind=a%20b", None, r#"{"event":"other"}"#, "a b"),
        ("path", "/webhook/s//uplink/message/", None, "{}", "uplink/message"),
        ("header:X-Topic", "/webhook/s", Some(("x-topic", "orders/create")), "{}", "orders/create"),
        ("/meta/kind", "/webhook/s", None, r#"{"meta":{"kind":7}}"#, "7"),
        ("=reading", "/webhook/s", None, r#"{"type":{"odd":true}}"#, "reading"),
    ] {
        let server = with(&format!("event = \"{place}\""));
        let headers: Vec<(&str, &str)> = headers.into_iter().collect();
        let answer = server.post(target, &headers, body.as_bytes());
        assert_eq!((answer.status, answer.word().as_str()), PROCESSED, "{place}");
        assert_eq!(server.newest()["event_type"], event, "{place}");
        if place != "=reading" {
            let missing = server.post("/webhook/s", &[], br#"{"event":"x"}"#);
            let told = missing.json()["details"][0]["message"].as_str().unwrap().to_owned();
            assert!(missing.status == 400 && told.starts_with("Missing event name: "), "{place}: {told}");
            let diagnosis = server.newest()["diagnosis"].as_str().unwrap().to_owned();
            assert!(diagnosis.contains("looks for the name here"), "{diagnosis}");
        }
    }
}

#[test]
fn points_are_named_by_the_source_s_place_where_it_has_a_name_for_them() {
    let server = with("event = \"path\"");
    let points = r#"[{"id":"p1","variable":"t","value":1}]"#;
    assert_eq!(is(&post(&server, "/webhook/s/alarm", points)), PROCESSED);
    assert_eq!(server.newest()["event_type"], "alarm");
    assert_eq!(is(&post(&server, "/webhook/s", points)), PROCESSED);
    assert_eq!(server.newest()["event_type"], "data.received");
}

#[test]
fn what_cannot_be_a_place_stops_the_start_with_what_is_allowed() {
    for (lines, part) in [
        ("event = \"type\"", "one of \"query:NAME\", \"path\""),
        ("event = \"query:token\"", "stored masked"),
        ("id_scope = [\"evnt\"]", "\"event\" and \"path\""),
        ("preset = \"chirpstak\"", "chirpstack"),
        (
            "signature = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\nid_scope = [\"path\"]",
            "not covered",
        ),
        (
            "signature = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\nevent = \"query:e\"\nid_scope = [\"event\"]",
            "not covered",
        ),
    ] {
        let signature = if lines.contains("signature") { "" } else { "signature = \"none\"\n" };
        let setup = Setup::new(&format!("[[source]]\nname = \"s\"\n{signature}{lines}\n"));
        let output = setup.command(&["check-config"]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{lines}: {told}");
        assert!(told.contains(part), "{lines}: {told}");
    }
}

#[test]
fn verify_and_what_if_say_what_a_source_reads() {
    let server = with("");
    std::fs::write(server.data_dir().join("body"), CHIRPSTACK_UP).unwrap();
    assert_eq!(post(&server, "/webhook/s?event=up", CHIRPSTACK_UP).0, 400);
    let asked = json!({"source": "s", "draft": {"preset": "chirpstack"}});
    let found = what_if(&server, &asked);
    assert_eq!(found["summary"]["would_pass"], 1, "{found}");
    assert_eq!(found["flips"][0]["seen"], "event up, id 3ac7e3c4-4401-4b8d-9386-a5c902f9202d#up");
    assert!(found["configuration"].as_str().unwrap().contains("event = \"query:event\""), "{found}");

    let server = server
        .stop_and_restart(Some("[[source]]\nname = \"s\"\nsignature = \"none\"\npreset = \"chirpstack\"\n"));
    let file = server.data_dir().join("body");
    let verify = |path: &str| {
        let output = server.command(&["verify", "--path", path, file.to_str().unwrap()]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let told = verify("/webhook/s?event=up");
    assert!(told.contains("event: up, id 3ac7e3c4-4401-4b8d-9386-a5c902f9202d#up"), "{told}");
    assert!(told.contains("event name: query parameter event"), "{told}");
    let checked = server.command(&["check-config"]).output().unwrap();
    let told = String::from_utf8(checked.stdout).unwrap();
    assert!(told.contains("event name from query parameter event, event part of the event id"), "{told}");

    assert_eq!(is(&post(&server, "/webhook/s?event=up", CHIRPSTACK_UP)), PROCESSED);
    let found = what_if(&server, &json!({"source": "s", "draft": {"event": "=x"}}));
    assert_eq!(found["summary"]["other_event"], 1, "{found}");
}

fn what_if(server: &Server, asked: &Value) -> Value {
    let started = server.tell("POST", "what-if", asked);
    assert_eq!(started.status, 202, "{}", String::from_utf8_lossy(&started.body));
    let path = format!("what-if/{}", started.json()["id"].as_str().unwrap());
    until("the run is over", || server.api(&path)["state"] != "running");
    server.api(&path)
}

#[test]
fn an_export_carries_what_names_the_event() {
    let server = with("preset = \"chirpstack\"");
    post(&server, "/webhook/s?event=up", CHIRPSTACK_UP);
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    for format in ["curl", "node", "python", "raw", "har", "test"] {
        let text = server.api_raw(&format!("deliveries/{id}/export?as={format}")).body;
        assert!(String::from_utf8_lossy(&text).contains("/webhook/s?event=up"), "{format}");
    }
}

#[test]
fn two_actions_that_post_the_same_points_are_two_events_and_their_retries_are_repeats() {
    let server = with("");
    let sink = Sink::start();
    server.subscribe(&json!({"name": "all", "url": sink.url("/"), "events": ["data.received"]}));
    let points = r#"[{"id":"a1","variable":"temperature","value":35.5,"group":"g1","time":"2026-03-09T07:14:58.402Z"}]"#;
    let action = |target: &str, retry: &str, points: &str| {
        let answer = server.post(target, &[("TagoIO-Retries", retry)], points.as_bytes());
        (answer.status, answer.word())
    };
    assert_eq!(is(&action("/webhook/s/forward", "1", points)), PROCESSED);
    assert_eq!(is(&action("/webhook/s/alarm", "1", points)), PROCESSED);
    assert_eq!(is(&action("/webhook/s/alarm/", "2", points)), REPEATED);
    assert_eq!(is(&action("/webhook//s/forward", "2", points)), REPEATED);
    assert_eq!(is(&action("/webhook/s/late", "3", points)), PROCESSED, "its first two tries never came here");
    let seen = server.newest()["checks"][6]["seen"].as_str().unwrap().to_owned();
    assert!(seen.contains("at the path late"), "{seen}");
    let given_up = points.replace(
        "\"time\"",
        r#""metadata":{"_http_error":"x","_http_url":"https://hooks.example/in/webhook/s/alarm","_http_attempts":10},"time""#,
    );
    assert_eq!(
        is(&action("/webhook/s/fallback", "1", &given_up)),
        REPEATED,
        "it belongs to the path that was given up"
    );
    assert_eq!(sink.wait_for(3).len(), 3);

    assert_eq!(is(&action("/webhook/s/alarm", "1", points)), REPEATED);
    let diagnosis = server.newest()["diagnosis"].as_str().unwrap().to_owned();
    assert!(diagnosis.contains("two Actions") && diagnosis.contains("/webhook/s/"), "{diagnosis}");
}

#[test]
fn on_a_signed_source_the_path_makes_no_other_event_of_the_same_points() {
    let server = Server::start();
    let points = br#"[{"id":"a1","variable":"t","value":1}]"#;
    let hex = hmac_hex(SECRET.as_bytes(), points);
    let post = |target: &str| server.post(target, &[("X-TagoRUN-Signature", &hex)], points).word();
    assert_eq!(post("/webhook/tagorun/a"), "processed");
    assert_eq!(post("/webhook/tagorun/b"), "already_processed", "a replay cannot be a new event");
}

#[test]
fn cloud_events_in_binary_mode_are_named_and_told_apart_by_their_headers() {
    let server = with("");
    let event = |id: &str, source: &str, body: &str| {
        let lines = [
            ("ce-specversion", "1.0"),
            ("ce-type", "com.example.r%C3%A9ading"),
            ("ce-source", source),
            ("ce-id", id),
            ("Content-Type", "application/json"),
        ];
        let answer = server.post("/webhook/s", &lines, body.as_bytes());
        (answer.status, answer.word())
    };
    assert_eq!(is(&event("evt-1", "/sensors/7", r#"{"id":"dev-7","type":"thermo","t":21}"#)), PROCESSED);
    let first = server.newest();
    assert_eq!(fields(&first)[..2], [Some("com.example.réading"), Some("evt-1#/sensors/7")]);
    assert!(notes(&first, 5).contains("header ce-type"), "{first}");
    assert_eq!(is(&event("evt-2", "/sensors/7", r#"{"id":"dev-7","type":"thermo","t":22}"#)), PROCESSED);
    assert_eq!(is(&event("evt-1", "/sensors/8", r#"{"id":"dev-8","type":"thermo","t":23}"#)), PROCESSED);
    assert_eq!(is(&event("evt-1", "/sensors/7", r#"{"id":"dev-7","type":"thermo","t":21}"#)), REPEATED);
    assert_eq!(event("evt-1", "/sensors/7", r#"{"id":"dev-7","type":"thermo","t":99}"#).0, 409);
    let timeline = server.api("events/evt-1%23%2Fsensors%2F7/timeline?source=s");
    assert_eq!(timeline["attempts"].as_array().unwrap().len(), 3, "{timeline}");
    let nameless = server.post("/webhook/s", &[("ce-specversion", "1.0"), ("ce-id", "e")], br#"{"t":1}"#);
    assert_eq!(nameless.status, 400);
    assert!(nameless.json()["details"][0]["message"].as_str().unwrap().contains("ce-type"));
}

#[test]
fn a_structured_cloud_event_has_the_id_of_the_same_event_in_binary_mode() {
    let server = with("");
    let body = r#"{"specversion":"1.0","type":"reading","source":"/sensors/7","id":"evt-1","data":{"t":21}}"#;
    let post = |content_type: &str| {
        server.post("/webhook/s", &[("Content-Type", content_type)], body.as_bytes()).word()
    };
    assert_eq!(post("application/cloudevents+json; charset=utf-8"), "processed");
    assert_eq!(server.newest()["event_id"], "evt-1#/sensors/7");
    assert_eq!(post("application/cloudevents+json"), "already_processed");
}

#[test]
fn headers_that_no_signature_covers_make_no_new_event_of_a_signed_one() {
    let server = Server::start();
    let body = br#"{"id":"evt_1","event":"made.up","source":"/a"}"#;
    let hex = hmac_hex(SECRET.as_bytes(), body);
    let signed = ("X-TagoRUN-Signature", hex.as_str());
    assert_eq!(server.post("/webhook/tagorun", &[signed], body).word(), "processed");
    let cloud = [signed, ("ce-specversion", "1.0"), ("ce-type", "x"), ("ce-id", "other")];
    assert_eq!(server.post("/webhook/tagorun", &cloud, body).word(), "already_processed");
    let structured = [signed, ("Content-Type", "application/cloudevents+json")];
    assert_eq!(server.post("/webhook/tagorun", &structured, body).word(), "already_processed");
}

#[test]
fn a_repeat_that_was_serialised_anew_is_a_repeat() {
    let server = with("");
    assert_eq!(is(&post(&server, "/webhook/s", r#"{"id":"q1","event":"x","v":1}"#)), PROCESSED);
    assert_eq!(is(&post(&server, "/webhook/s", r#"{"event":"x","id":"q1","v":1}"#)), REPEATED);
    let diagnosis = server.newest()["diagnosis"].as_str().unwrap().to_owned();
    assert!(diagnosis.contains("serialises its JSON again"), "{diagnosis}");
    assert_eq!(
        is(&post(&server, "/webhook/s", "{ \"v\" : 1.0, \"event\" : \"\\u0078\",\n\"id\":\"q1\" }")),
        REPEATED
    );
    assert_eq!(post(&server, "/webhook/s", r#"{"event":"x","id":"q1","v":2}"#).0, 409);
    assert_eq!(post(&server, "/webhook/s", r#"{"event":"x","id":"q1","v":"1"}"#).0, 409);
}

#[test]
fn a_large_body_that_was_serialised_anew_is_at_least_said_to_be_one() {
    let server = with("");
    let fill = "x".repeat(70_000);
    assert_eq!(
        is(&post(&server, "/webhook/s", &format!(r#"{{"id":"q1","event":"x","v":"{fill}"}}"#))),
        PROCESSED
    );
    assert_eq!(post(&server, "/webhook/s", &format!(r#"{{"event":"x","id":"q1","v":"{fill}"}}"#)).0, 409);
    let diagnosis = server.newest()["diagnosis"].as_str().unwrap().to_owned();
    assert!(diagnosis.contains("The same values as in the first delivery"), "{diagnosis}");
}

#[test]
fn a_device_s_id_in_the_place_of_an_event_s_is_said_to_be_one() {
    let server = with("");
    for value in 1..=6 {
        let body = format!(r#"{{"event":"reading","id":"dev-7","v":{value}}}"#);
        assert_eq!(post(&server, "/webhook/s", &body).0, if value == 1 { 200 } else { 409 });
    }
    let diagnosis = server.newest()["diagnosis"].as_str().unwrap().to_owned();
    assert!(
        diagnosis.contains("6 deliveries with the id dev-7") && diagnosis.contains("Set id_pointer"),
        "{diagnosis}"
    );
    until("the overview says so too", || {
        server.api("overview?range=1h")["attention"].to_string().contains("id_pointer")
    });
    let server =
        server.stop_and_restart(Some("[[source]]\nname = \"s\"\nsignature = \"none\"\nid_pointer = \"\"\n"));
    for _ in 0..2 {
        assert_eq!(is(&post(&server, "/webhook/s", r#"{"event":"reading","id":"dev-7","v":9}"#)), PROCESSED);
    }
}

#[test]
fn one_id_of_two_event_types_is_said_to_need_a_scope() {
    let server = with("event = \"query:event\"\nid_pointer = \"/deduplicationId\"");
    assert_eq!(is(&post(&server, "/webhook/s?event=up", CHIRPSTACK_UP)), PROCESSED);
    assert_eq!(post(&server, "/webhook/s?event=ack", CHIRPSTACK_ACK).0, 409);
    let diagnosis = server.newest()["diagnosis"].as_str().unwrap().to_owned();
    assert!(diagnosis.contains("id_scope = [\"event\"]"), "{diagnosis}");
}

#[test]
fn advice_about_the_schema_is_not_given_where_it_cannot_help() {
    let server = with("");
    for body in ["21.5", "\"x\"", "[1,2]", "null"] {
        assert_eq!(post(&server, "/webhook/s", body).0, 400);
        let diagnosis = server.newest()["diagnosis"].as_str().unwrap().to_owned();
        assert!(!diagnosis.contains("warn"), "{body}: {diagnosis}");
    }
}

#[test]
fn two_signature_lines_are_judged_as_one_joined_line() {
    let server = Server::start();
    let body = br#"{"id":"two","event":"made.up"}"#;
    let (old, new) = (hmac_hex(b"an-old-secret-0123456789", body), hmac_hex(SECRET.as_bytes(), body));
    let lines = [("X-TagoRUN-Signature", old.as_str()), ("x-tagorun-signature", new.as_str())];
    assert_eq!(server.post("/webhook/tagorun", &lines, body).word(), "processed");
    let joined = format!("{old}, {new}");
    let answer = server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &joined)], body);
    assert_eq!(answer.word(), "already_processed");
}

#[test]
fn the_id_of_a_signed_message_is_the_one_that_was_signed() {
    let config = "[[source]]\nname = \"sw\"\nsignature = \"standard-webhooks\"\nsecrets = [\"env:SW\"]\n";
    let server = Setup::new(config).env("SW", "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").start();
    let key = base64_key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let (time, body) = (now.to_string(), br#"{"type":"a"}"#);
    let signature = standard_webhooks(&key, "msg_1", i64::try_from(now).unwrap(), body);
    let trio = [("svix-id", "msg_1"), ("svix-timestamp", &*time), ("svix-signature", &*signature)];
    assert_eq!(server.post("/webhook/sw", &trio, body).word(), "processed");
    let with_stray = [&trio[..], &[("webhook-id", "msg_2")]].concat();
    assert_eq!(server.post("/webhook/sw", &with_stray, body).word(), "already_processed");
    assert_eq!(server.newest()["event_id"], "msg_1");
}

fn base64_key(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn a_secret_that_no_library_can_use_is_told_when_a_subscription_is_made() {
    let server = Server::start();
    let warnings = |secret: &str| {
        let subscription = json!({
            "name": "s", "url": "http://127.0.0.1:9/", "events": ["*"],
            "signature": {"scheme": "standard-webhooks", "secrets": [secret]},
        });
        let answer = server.tell("POST", "subscriptions", &subscription);
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()["warnings"].to_string()
    };
    let bare = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx";
    let told = warnings(bare);
    assert!(
        told.contains("whsec_")
            && told.contains("libraries") | told.contains("library")
            && !told.contains(bare),
        "{told}"
    );
    assert!(warnings("a pass phrase of some length").contains("base64 of the text"));
    for good in [format!("whsec_{bare}"), format!("v1,whsec_{bare}")] {
        assert!(!warnings(&good).contains("whsec_"), "{good}");
    }
}

#[test]
fn each_event_of_a_cloud_events_batch_goes_its_own_way() {
    let server = with("entity = \"/data/device\"");
    let sink = Sink::start();
    let subscription = json!({"name": "readings", "url": sink.url("/"), "events": ["reading", "alarm"],
        "filters": {"reading": {"conditions": [{"field": "data.t", "operator": "greater_than", "value": 20}]}}});
    server.subscribe(&subscription);
    let event = |kind: &str, id: &str, t: f64| json!({"specversion": "1.0", "type": kind, "source": "/sensors/7", "id": id, "data": {"t": t, "device": "d7"}});
    let post = |events: &Value| {
        let lines = [("Content-Type", "application/cloudevents-batch+json; charset=utf-8")];
        let answer = server.post("/webhook/s", &lines, events.to_string().as_bytes());
        (answer.status, answer.word())
    };
    let batch = json!([event("reading", "1", 21.5), event("reading", "2", 19.0), event("alarm", "3", 5.0)]);
    assert_eq!(is(&post(&batch)), PROCESSED);
    let row = server.newest();
    assert_eq!(fields(&row), [Some("cloudevents.batch"), None, Some("d7")]);
    assert_eq!(row["checks"][5]["seen"], "3 events: alarm, reading");
    let mut arrived: Vec<(String, String)> = sink
        .wait_for(2)
        .iter()
        .map(|request| {
            (
                request.header("X-TagoRUN-Event-Id").to_owned(),
                request.json()["type"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    arrived.sort();
    let expected = [("1#/sensors/7", "reading"), ("3#/sensors/7", "alarm")];
    assert_eq!(arrived, expected.map(|(id, kind)| (id.to_owned(), kind.to_owned())));
    assert_eq!(is(&post(&batch)), REPEATED);

    // A batch that overlaps brings only what is new.
    assert_eq!(is(&post(&json!([event("alarm", "3", 5.0), event("alarm", "4", 6.0)]))), PROCESSED);
    assert_eq!(sink.wait_for(3).len(), 3);
    assert_eq!(server.messages("").len(), 3);
    assert_eq!(is(&post(&json!([]))), PROCESSED);
}

#[test]
fn a_batch_is_refused_with_the_place_of_what_is_no_event() {
    let server = Setup::new(
        "[[source]]\nname = \"s\"\nsignature = \"none\"\n[[source]]\nname = \"signed\"\nsecrets = [\"file:signing-secret\"]\n",
    )
    .start();
    let batch = ("Content-Type", "application/cloudevents-batch+json");
    let details = |target: &str, headers: &[(&str, &str)], body: &str| {
        let answer = server.post(target, headers, body.as_bytes());
        assert_eq!(answer.status, 400, "{body}");
        answer.json()["details"].clone()
    };
    let seen =
        details("/webhook/s", &[batch], r#"[{"type":"a","source":"/s","id":"1"},{"type":"a","id":"2"}]"#);
    assert_eq!(seen[0]["path"], "/1/source");
    let refused = r#"[{"type":"user.login","source":"/s","id":"1"}]"#;
    let seen = details("/webhook/s", &[batch], refused);
    assert!(seen[0]["path"].as_str().unwrap().starts_with("/0/"), "{seen}");
    let hex = hmac_hex(SECRET.as_bytes(), refused.as_bytes());
    let seen = details("/webhook/signed", &[batch, ("X-TagoRUN-Signature", &hex)], refused);
    let told = seen[0]["message"].as_str().unwrap();
    assert!(told.contains("CloudEvents batch") && !told.contains("variable"), "{told}");
}

#[test]
fn a_replay_on_a_source_without_signature_keeps_the_id_that_a_header_gave_it() {
    let server = with("");
    assert_eq!(
        server.post("/webhook/s", &[("webhook-id", "h1")], br#"{"event":"made.up"}"#).word(),
        "processed"
    );
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let asked = json!({"to": "receiver", "signature": "fresh"});
    let replay = server.tell("POST", &format!("deliveries/{id}/replay"), &asked);
    assert_eq!(replay.status, 202);
    let newest = server.newest();
    assert_eq!((newest["event_id"].as_str(), newest["verdict"].as_str()), (Some("h1"), Some("duplicate")));
}
