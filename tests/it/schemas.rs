//! Schemas of the user's own, from their files to the answer that a sender gets.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Server, Setup, Sink};

/// A setup with these files in `schemas_dir`.
fn with(files: &[(&str, &str)], more: &str) -> Setup {
    let setup = Setup::new(&format!("schemas_dir = \"schemas\"\n{more}"));
    let folder = setup.data_dir().parent().unwrap().join("schemas");
    fs::create_dir_all(&folder).unwrap();
    for (name, schema) in files {
        fs::write(folder.join(name), schema).unwrap();
    }
    setup
}

#[test]
fn a_schema_for_an_alias_leaves_the_event_to_its_subscriptions() {
    let server = with(&[("device_alert.json", r#"{"required":["alert"]}"#)], "").start();
    let sink = Sink::start();
    for events in ["device_alert", "data.threshold", "data.*", "*"] {
        server.subscribe(&json!({"name": events, "url": sink.url("/"), "events": [events]}));
    }
    let alert = json!({"event": "device_alert", "id": "a1", "alert": {"severity": "low"}});
    assert_eq!(server.post_signed(alert.to_string().as_bytes()).word(), "processed");
    let delivery = server.newest();
    assert_eq!(
        (&delivery["event_type"], &delivery["event_name"]),
        (&json!("data.threshold"), &json!("device_alert"))
    );
    sink.wait_for(4);
    let lacking = json!({"event": "device_alert", "id": "a2"});
    let answer = server.post_signed(lacking.to_string().as_bytes());
    assert_eq!((answer.status, &answer.json()["details"][0]["path"]), (400, &json!("/alert")));
    let other = json!({"event": "data.threshold", "id": "a3"});
    assert_eq!(
        server.post_signed(other.to_string().as_bytes()).status,
        200,
        "the alias's schema is not the event's"
    );
    let shown = server.api("event-types/device_alert");
    assert_eq!(
        (&shown["name"], &shown["schema"]),
        (&json!("data.threshold"), &json!({"required": ["alert"]}))
    );
}

#[test]
fn every_fault_of_every_schema_is_a_line_and_exit_2() {
    let setup = with(
        &[
            ("a.json", r#"{"properties":{"a":{"properties":{"b":{"type":"strng"}}}}}"#),
            ("b.schema.json", r#"{"properties":{"v":{"$ref":"none.json"},"w":{"minimum":1}}}"#),
            ("c.JSON", "{"),
        ],
        "",
    );
    for command in ["serve", "check-config"] {
        let out = setup.command(&[command]).output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(2), "{said}");
        let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("schemas_dir: ")).collect();
        assert_eq!(lines.len(), 3, "{said}");
        for (line, parts) in lines.iter().zip([
            ["a.json", "/properties/a/properties/b/type", "did you mean string?"],
            ["b.schema.json", "/properties/v/$ref", "there is no file \"none.json\""],
            ["c.JSON", "is not JSON", "line 1"],
        ]) {
            assert!(parts.iter().all(|part| line.contains(part)), "{line}");
        }
    }
}

#[test]
fn formats_bind_where_the_source_is_strict_and_a_null_is_called_null() {
    let schema = r#"{"properties":{"at":{"type":"string","format":"date-time"},"note":{"type":"string"}}}"#;
    let files = [("plant.watered.schema.json", schema)];
    let post = |server: &Server, body: Value| server.post_signed(body.to_string().as_bytes());
    let event = |id: &str| json!({"event": "plant.watered", "id": id, "at": "yesterday"});
    let server = with(&files, "").start();
    assert_eq!(post(&server, event("1")).status, 200);
    let check = server.newest()["checks"][5].clone();
    assert_eq!(check["rule"], "schema of plant.watered");
    assert_eq!(check["notes"][0], "does not match a format of its schema");
    let answer = post(&server, json!({"event": "plant.watered", "id": "2", "note": null}));
    assert_eq!(answer.json()["details"][0]["message"], "note must be a string, it is null");

    let strict = "[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\nschema = \"strict\"\n";
    let server = with(&files, strict).start();
    let answer = post(&server, event("1"));
    assert_eq!((answer.status, &answer.json()["details"][0]["path"]), (400, &json!("/at")));
    assert_eq!(server.newest()["checks"][5]["rule"], "schema of plant.watered, formats included");
}

#[test]
fn an_alertmanager_is_received_as_the_diagnosis_says() {
    let body = br#"{"version":"4","status":"firing","alerts":[{"labels":{"alertname":"Down"}}]}"#;
    let source = |schema: &str| {
        format!("[[source]]\nname = \"alerts\"\nsignature = \"none\"\nschema = \"{schema}\"\n")
    };
    let server = Setup::new(&source("enforce")).start();
    assert_eq!(server.post("/webhook/alerts", &[], body).status, 400);
    let diagnosis = server.newest()["diagnosis"].as_str().unwrap().to_owned();
    assert!(diagnosis.contains("set schema = \"warn\" for source “alerts”"), "{diagnosis}");
    for schema in ["warn", "off"] {
        let server = Setup::new(&source(schema)).start();
        let sink = Sink::start();
        server.subscribe(&json!({"name": "s", "url": sink.url("/"), "events": ["unknown"]}));
        assert_eq!(server.post("/webhook/alerts", &[], body).word(), "processed", "{schema}");
        assert_eq!(server.newest()["event_type"], "unknown");
        assert_eq!(sink.wait_for(1)[0].body, body);
    }
}

#[test]
fn a_number_beyond_a_double_is_named_by_its_member() {
    let server = Server::start();
    let answer = server.post_signed(br#"{"event":"data.received","data":{"value":1e400}}"#);
    let details = answer.json()["details"][0].clone();
    assert_eq!((answer.status, &details["path"]), (400, &json!("/data/value")));
    let message = details["message"].as_str().unwrap();
    assert!(message.contains("/data/value") && message.contains("line 1 column"), "{message}");
}
