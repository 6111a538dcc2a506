//! Expressions in filters and templates, as their writers meet them: what they give, and what is refused when they are
//! saved.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Sink};

/// A draft with a filter of `data.received` and a template.
fn draft(filter: &str, template: &Value) -> Value {
    json!({
        "url": "https://e.example/", "events": ["data.received"],
        "filters": {"data.received": {"expression": filter}}, "payload_template": template,
    })
}

fn preview(server: &Server, filter: &str, template: &Value, event: &Value) -> Value {
    let asked = json!({"subscription": draft(filter, template), "event": event});
    let told = server.tell("POST", "subscriptions/preview", &asked);
    assert_eq!(told.status, 200, "{filter} {template}: {}", told.json());
    told.json()
}

#[test]
fn whole_numbers_and_fractions_calculate_alike_in_filters_and_templates() {
    let server = Server::start();
    for (seen, expected) in [(json!(25), 77.0), (json!(25.0), 77.0), (json!(25.5), 77.9)] {
        let event = json!({"event": "data.received", "data": {"value": seen}});
        let filter = "data.value * 1.8 + 32.0 > 70.0 && data.value % 2 != 0";
        let told = preview(&server, filter, &json!({"f": "{{data.value * 1.8 + 32.0}}"}), &event);
        assert_eq!(told["matches"], true, "{event}: {told}");
        let payload: Value = serde_json::from_str(told["payload"].as_str().unwrap()).unwrap();
        assert_eq!(payload["f"].as_f64(), Some(expected), "{event}");
    }
}

#[test]
fn what_an_event_lacks_takes_the_else_branch_and_can_be_guarded() {
    let server = Server::start();
    let event = json!({"event": "data.received", "data": {"value": 1}});
    let template = json!({
        "colour": "{{alert.severity == 'critical' ? 'danger' : 'warning'}}",
        "severity": "{{has(alert.severity) ? alert.severity : 'none'}}",
        "unit": "{{data.?unit.orValue('C')}}",
    });
    let told = preview(&server, "!has(geo.country) || geo.country == 'BR'", &template, &event);
    assert_eq!((&told["matches"], &told["missing"]), (&json!(true), &json!([])));
    let payload: Value = serde_json::from_str(told["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload, json!({"colour": "warning", "severity": "none", "unit": "C"}));
    for filter in ["'alert' in event", "alert.severity == 'critical'", "alert.level > 3"] {
        assert_eq!(preview(&server, filter, &json!({}), &event)["matches"], false, "{filter}");
    }
    let told = preview(&server, "true", &json!({"v": "{{alert.severity + '!'}}"}), &event);
    assert_eq!(told["missing"], json!(["alert.severity"]));
}

#[test]
fn times_and_letters_of_any_case_are_what_filters_ask_for_first() {
    let server = Server::start();
    let event = json!({
        "event": "data.received", "timestamp": "2026-03-09T23:14:58Z", "device": {"name": "Kitchen"}, "data": {},
    });
    let filter = "timestamp(event.timestamp).getHours() >= 22 && device.name.lowerAscii() == 'kitchen'";
    let told = preview(&server, filter, &json!({"ts": "{{epoch(event.timestamp)}}"}), &event);
    assert_eq!((&told["matches"], &told["payload"]), (&json!(true), &json!(r#"{"ts":1773098098}"#)));
}

#[test]
fn twenty_previews_are_one_payload() {
    let server = Server::start();
    let tags = json!({"zone": 1, "area": 2, "mine": 3, "bay": 4, "yard": 5});
    let event = json!({"event": "data.received", "data": {"tags": tags}});
    for _ in 0..20 {
        let told = preview(&server, "true", &json!({"t": "{{data.tags.map(k, k)}}"}), &event);
        assert_eq!(told["payload"], r#"{"t":["zone","area","mine","bay","yard"]}"#);
    }
}

#[test]
fn what_cannot_work_is_refused_when_it_is_saved() {
    let server = Server::start();
    for (filter, words) in [
        (
            "device.name.toLowerCase() == 'x'",
            "there is no function toLowerCase; did you mean lowerAscii? There are",
        ),
        ("device.name.matches('[')", "unclosed character class"),
        ("data.value === 5", "write =="),
        ("data.value + 1", "never true or false"),
        ("data.list.0.value > 5", "data.list[0]"),
        ("data.a ?? 'b'", "has(data.x) ?"),
        ("has(alert)", "has(event.alert)"),
    ] {
        let refused = server.tell("POST", "subscriptions", &draft(filter, &json!({})));
        let error = &refused.json()["errors"][0];
        assert_eq!((refused.status, &error["pointer"]), (400, &json!("/filters/data.received/expression")));
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    let template = json!({"a": "{{data.name.toUpperCase()}}"});
    let refused = server.tell("POST", "subscriptions", &draft("true", &template));
    assert_eq!(
        (refused.status, &refused.json()["errors"][0]["pointer"]),
        (400, &json!("/payload_template/a"))
    );
    assert!(refused.json()["errors"][0]["message"].as_str().unwrap().contains("upperAscii"));
}

#[test]
fn a_bad_expression_in_the_configuration_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let subscription = "[[subscription]]\nname = \"s\"\nurl = \"https://e.example/\"\nevents = [\"data.received\"]\n\
                        filters.\"data.received\" = { expression = \"device.name.toLowerCase() == 'x'\" }\n";
    std::fs::write(folder.path().join("t.toml"), subscription).unwrap();
    let checked = Command::new(env!("CARGO_BIN_EXE_tagohook"))
        .args(["check-config", "--config", "t.toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(checked.stderr).unwrap();
    assert_eq!(checked.status.code(), Some(2), "{said}");
    assert!(said.contains("there is no function toLowerCase; did you mean lowerAscii?"), "{said}");
}

#[test]
fn a_slip_of_the_pen_is_a_warning_with_the_nearest_name() {
    let server = Server::start();
    let template = json!({"a": "{{devcie.name == 'x' ? 1 : 2}}"});
    let made =
        server.tell("POST", "subscriptions", &draft("data.soil-moisture > 30 || usr.id == 'x'", &template));
    assert_eq!(made.status, 201, "{}", made.json());
    let warnings = made.json()["warnings"].to_string();
    for words in ["devcie", "did you mean device?", "data['soil-moisture']", "did you mean user?"] {
        assert!(warnings.contains(words), "{words}: {warnings}");
    }
}

#[test]
fn a_retry_sends_the_bytes_of_the_first_attempt() {
    let server = Server::start();
    let sink = Sink::scripted(|_, before| Reply::Status(if before < 2 { 503 } else { 200 }));
    server.subscribe(&json!({
        "name": "s", "url": sink.url("/"), "events": ["data.received"],
        "retry_policy": {"max_attempts": 3, "backoff": "fixed", "base": "10ms", "jitter": false},
        "payload_template": {"t": "{{data.tags.map(k, k + '!')}}", "v": "{{has(data.v) ? data.v : 0}}"},
    }));
    server.publish(
        &json!({"event": "data.received", "id": "e", "data": {"tags": {"c": 1, "a": 2, "b": 3}, "v": 1.5}}),
    );
    let requests = sink.wait_for(3);
    assert!(requests.iter().all(|request| request.body == br#"{"t":["c!","a!","b!"],"v":1.5}"#));
}
