//! Every configuration of the specification, unchanged but for its host, delivers on the catalogue's example of its event
//! what a reader of the document would expect.

use serde_json::{Value, json};

use crate::harness::{Server, Sink};

const DOCUMENT: &str = include_str!("../data/webhooks-integration.md");

/// What is JSON in the code blocks, each behind its comment line.
fn configurations() -> Vec<Value> {
    let blocks = DOCUMENT.split("```javascript\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut found = Vec::new();
    for block in blocks {
        for piece in format!("\n{block}").split("\n//").skip(1) {
            let body = piece.split_once('\n').unwrap_or_default().1;
            found.extend(serde_json::from_str(body).ok().filter(Value::is_object));
        }
    }
    found
}

/// The same configuration with our endpoint's host.
fn here(mut configuration: Value, sink: &Sink) -> Value {
    let key = if configuration.get("webhook_url").is_some() { "webhook_url" } else { "url" };
    let url = configuration[key].as_str().unwrap();
    let path = url.splitn(4, '/').nth(3).unwrap().to_owned();
    configuration[key] = sink.url(&format!("/{path}")).into();
    configuration
}

/// What a reader of the document expects; `e` is the example.
fn expected(path: &str, e: &Value) -> Value {
    match path {
        "/api/user-activity" => json!({
            "user_id": e["user"]["id"], "activity": "login", "timestamp": e["timestamp"], "application": "TagoRUN",
            "session_data": {"ip": e["session"]["ip"], "device": e["session"]["device"], "location": e["session"]["location"]},
        }),
        "/events" => json!({
            "event_name": "dashboard_view",
            "user_properties": {"user_id": e["user"]["id"], "role": e["user"]["role"], "department": e["user"]["department"]},
            "event_properties": {
                "dashboard_id": e["dashboard"]["id"], "dashboard_name": e["dashboard"]["name"],
                "view_duration": e["session"]["duration"],
            },
        }),
        "/api/ingest" => json!({
            "source": "TagoRUN", "device_id": e["device"]["id"], "device_type": e["device"]["type"],
            "timestamp": e["data"]["timestamp"], "measurements": e["data"]["variables"], "quality_score": e["data"]["quality"],
            "metadata": {"location": e["device"]["location"], "owner": e["device"]["owner"]},
        }),
        "/api/incidents" => json!({
            "severity": e["alert"]["severity"], "title": "TagoRUN Threshold Alert", "description": e["alert"]["message"],
            "source": {
                "device": e["device"]["name"], "variable": e["variable"]["name"], "value": e["variable"]["value"],
                "threshold": e["threshold"]["value"],
            },
            "assignee": e["alert"]["assignee"], "tags": ["TagoRUN", "IoT", e["device"]["type"]],
        }),
        "/api/trigger" => json!({
            "workflow_id": "new_user_onboarding",
            "trigger_data": {
                "user": {"id": e["user"]["id"], "email": e["user"]["email"], "name": e["user"]["name"], "role": e["user"]["role"]},
                "registration": {
                    "timestamp": e["timestamp"], "source": "TagoRUN", "invitation_code": e["invitation"]["code"],
                },
            },
        }),
        "/api/broadcast" => json!({
            "channel": "system_announcements",
            "message": {
                "title": "TagoRUN Maintenance Notice", "body": e["maintenance"]["description"],
                "scheduled_time": e["maintenance"]["start_time"], "estimated_duration": e["maintenance"]["duration"],
            },
            "recipients": {"roles": ["admin", "operator"], "notification_types": ["email", "slack"]},
        }),
        "/services/YOUR/SLACK/WEBHOOK" => json!({
            "text": "TagoRUN Alert",
            "attachments": [{
                "color": if e["alert"]["severity"] == "critical" { "danger" } else { "warning" },
                "fields": [
                    {"title": "Alert Type", "value": e["alert"]["type"], "short": true},
                    {"title": "Device", "value": e["device"]["name"], "short": true},
                    {"title": "Message", "value": e["alert"]["message"], "short": false},
                ],
                "footer": "TagoRUN", "ts": e["timestamp"],
            }],
        }),
        "/webhook/YOUR/TEAMS/WEBHOOK" => json!({
            "@type": "MessageCard", "@context": "http://schema.org/extensions", "themeColor": "0076D7",
            "summary": "New User Registration",
            "sections": [{
                "activityTitle": "New User Registered", "activitySubtitle": "TagoRUN Platform",
                "facts": [
                    {"name": "User", "value": format!("{} ({})", e["user"]["name"].as_str().unwrap(), e["user"]["email"].as_str().unwrap())},
                    {"name": "Role", "value": e["user"]["role"]},
                    {"name": "Registration Time", "value": e["timestamp"]},
                ],
            }],
        }),
        "/hooks/catch/YOUR/ZAPIER/HOOK" => json!({
            "event_type": "threshold_exceeded", "device_name": e["device"]["name"], "variable_name": e["variable"]["name"],
            "current_value": e["variable"]["value"], "threshold_value": e["threshold"]["value"],
            "severity": e["alert"]["severity"], "timestamp": e["timestamp"], "user_email": e["user"]["email"],
        }),
        "/webhook/tagorun" => e.clone(),
        other => panic!("no expectation for {other}"),
    }
}

#[test]
fn s_02_every_complete_configuration_delivers_what_the_document_shows() {
    let complete: Vec<Value> = configurations()
        .into_iter()
        .filter(|one| one.get("url").is_some() || one.get("webhook_url").is_some())
        .collect();
    assert_eq!(complete.len(), 10);
    for configuration in complete {
        let server = Server::start();
        let sink = Sink::start();
        let event =
            configuration["event"].as_str().or(configuration["events"][0].as_str()).unwrap().to_owned();
        let example = server.api(&format!("event-types/{event}"))["example"].clone();
        server.subscribe(&here(configuration, &sink));
        assert_eq!(server.publish(&example), 1);
        let request = sink.wait_for(1).remove(0);
        assert_eq!(request.json(), expected(&request.path, &example), "{}", request.path);
        if request.path == "/webhook/tagorun" {
            assert_eq!(request.header("authorization"), "Bearer your-api-token");
            assert_eq!(request.header("x-source"), "TagoRUN");
        }
    }
}

#[test]
fn the_fragments_merge_into_a_subscription() {
    let server = Server::start();
    let sink = Sink::start();
    let fragments: Vec<Value> = configurations()
        .into_iter()
        .filter(|one| one.get("url").is_none() && one.get("webhook_url").is_none())
        .filter(|one| !one.to_string().contains("base64("))
        .collect();
    assert_eq!(fragments.len(), 4, "filters, a template, a bearer token, an API key");
    let mut merged =
        json!({"name": "merged", "url": sink.url("/"), "events": ["user.login", "data.received"]});
    for fragment in &fragments {
        for (key, value) in fragment.as_object().unwrap() {
            match (merged.get_mut(key).and_then(Value::as_object_mut), value.as_object()) {
                (Some(before), Some(more)) => before.extend(more.clone()),
                _ => merged[key] = value.clone(),
            }
        }
    }
    server.subscribe(&merged);
    let login = |role: &str| {
        json!({"event": "user.login", "timestamp": "2026-03-09T07:14:58Z", "id": format!("e-{role}"),
        "user": {"id": "u1", "email": "a@b.example", "role": role}, "location": {"country": "US"}, "data": {"a": 1}})
    };
    assert_eq!(server.publish(&login("operator")), 0);
    assert_eq!(server.publish(&login("admin")), 1);
    let request = sink.wait_for(1).remove(0);
    assert_eq!(
        request.json(),
        json!({"id": "e-admin", "type": "user.login", "occurred_at": "2026-03-09T07:14:58Z", "source": "TagoRUN",
               "user": {"identifier": "u1", "email": "a@b.example"}, "metadata": {"a": 1}})
    );
    assert_eq!(request.header("x-api-key"), "your-api-key");
}

#[test]
fn the_literal_base64_is_refused_with_its_hint_and_nothing_is_stored() {
    let server = Server::start();
    let bad = json!({"name": "b", "url": "https://e.example/", "events": ["a"], "headers": {"Authorization": "Basic base64(username:password)"}});
    let answer = server.tell("POST", "subscriptions", &bad);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.json()["errors"][0]["pointer"], "/headers/Authorization");
    assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains("\"basic\""));
    assert_eq!(server.api("subscriptions")["subscriptions"], json!([]));
}
