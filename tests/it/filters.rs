//! Filters and previews as people meet them: what is never used or fails is said, and a preview is what is sent.

use serde_json::{Value, json};

use crate::harness::{Answer, Server, Setup, Sink, TOKEN, exchange, until};

/// A request to the API with a body as it is written.
fn tell(server: &Server, path: &str, body: &str) -> Answer {
    let headers = [("Content-Type", "application/json")];
    exchange(server.inspector, "POST", &format!("/api/v1/{path}"), &headers, body.as_bytes())
}

#[test]
fn a_filter_that_fails_is_counted_and_told_wherever_the_event_is() {
    let server = Server::start();
    let sink = Sink::start();
    let id = server.subscribe(&json!({
        "name": "Alarm", "url": sink.url("/"), "events": ["data.*"],
        "filters": {"data.*": {"expression": "epoch(data.at) > 1"}},
    }));
    let body = json!({"event": "data.counted", "id": "e1", "timestamp": "2026-03-09T07:14:58Z", "data": {"at": "yesterday"}});
    assert_eq!(server.post_signed(body.to_string().as_bytes()).word(), "processed");
    let told = || server.api(&format!("subscriptions/{id}"))["evaluations"]["filter"].clone();
    until("the filter is asked", || told()["of"] == 1);
    let delivery = server.newest();
    let filter = told();
    assert_eq!((&filter["failed"], &filter["last_failure"]["event_id"]), (&json!(1), &json!("e1")));
    assert_eq!(filter["last_failure"]["delivery_id"], delivery["id"]);
    let why = filter["last_failure"]["why"].as_str().unwrap().to_owned();
    assert!(!why.is_empty());

    // Published: a warning in the answer.
    let event = json!({"event": "data.counted", "id": "e2", "timestamp": "2026-03-09T07:14:58Z", "data": {"at": "yesterday"}});
    let answer = server.tell("POST", "events", &event).json();
    let warnings = answer["warnings"].to_string();
    assert!(
        answer["messages"] == 0 && warnings.contains("Alarm") && warnings.contains("filter failed"),
        "{answer}"
    );
    assert_eq!(told()["failed"], 2);

    // On the delivery's page and in its API, on the subscription's page, in the metrics and in the log.
    let path = format!("deliveries/{}/subscriptions", delivery["id"].as_str().unwrap());
    let row = server.api(&path)["subscriptions"][0].clone();
    assert_eq!(row["outcome"], "filter_failed");
    assert!(row["why"].as_str().unwrap().contains("failed on this event"), "{row}");
    let page = |path: &str| {
        let answer = exchange(server.inspector, "GET", path, &[], b"");
        String::from_utf8(answer.body).unwrap()
    };
    let shown = page(&format!("/deliveries/{}", delivery["id"].as_str().unwrap()));
    assert!(shown.contains("failed on this event"), "{shown}");
    let shown = page(&format!("/subscriptions/{id}"));
    assert!(
        shown.contains("The filter failed on 2 of the last 2 events: nothing was sent for them."),
        "{shown}"
    );
    let metrics = page("/metrics");
    let line = format!("tagohook_evaluation_failures_total{{subscription=\"{id}\",part=\"filter\"}} 2");
    assert!(metrics.contains(&line), "{metrics}");
    assert!(server.log().contains("a filter or template fails on events"));

    // What is got can be put; a filter that was changed begins again.
    let mut changed = server.api(&format!("subscriptions/{id}"));
    changed["filters"] = json!({"data.*": {"expression": "data.n > 1"}});
    assert_eq!(server.tell("PUT", &format!("subscriptions/{id}"), &changed).status, 200);
    assert_eq!((&told()["of"], &told()["last_failure"]), (&json!(0), &Value::Null));
}

#[test]
fn a_template_that_fails_is_counted_once_for_each_event() {
    let server = Server::start();
    let sink = Sink::start();
    let id = server.subscribe(&json!({
        "name": "s", "url": sink.url("/"), "events": ["*"],
        "payload_template": {"at": "{{epoch(data.at)}}"},
    }));
    server.publish(&json!({"event": "made.up", "id": "e1", "data": {"at": "yesterday"}}));
    sink.wait_for(1);
    let told = || server.api(&format!("subscriptions/{id}"))["evaluations"]["template"].clone();
    until("the template is written down", || told()["failed"] == 1);
    assert_eq!((&told()["of"], &told()["last_failure"]["event_type"]), (&json!(1), &json!("made.up")));
}

#[test]
fn a_preview_of_an_inline_event_keeps_every_digit_and_takes_tagoio_s_array() {
    let server = Server::start();
    let event =
        r#"{"event":"webhook.test","id":"p1","timestamp":"t","n":89550100000012345678,"v":21.50,"e":1E3}"#;
    let subscription = r#"{"url":"http://127.0.0.1:9/","events":["*"]}"#;
    let body = format!(r#"{{"subscription":{subscription},"event": {event} }}"#);
    assert_eq!(tell(&server, "subscriptions/preview", &body).json()["payload"], event);

    let points = r#"[{"variable":"t","value":21.50,"device":"d1","time":"2026-03-09T07:14:58.402Z"}]"#;
    let subscription = r#"{"url":"http://127.0.0.1:9/","events":["data.received"],
        "filters":{"data.received":{"conditions":[{"variable":"t","is":"><","value":"20","second_value":"22","value_type":"number"}]}}}"#;
    let body = format!(r#"{{"subscription":{subscription},"event":{points}}}"#);
    let preview = tell(&server, "subscriptions/preview", &body).json();
    assert_eq!((&preview["payload"], &preview["matches"]), (&json!(points), &json!(true)));
    assert_eq!(preview["conditions"][0]["seen"].to_string(), "21.5");
    let wrong = format!(r#"{{"subscription":{subscription},"event":[{{"value":1}}]}}"#);
    let answer = tell(&server, "subscriptions/preview", &wrong);
    assert_eq!((answer.status, &answer.json()["errors"][0]["pointer"]), (400, &json!("/event/0/variable")));
}

#[test]
fn tagoio_s_own_conditions_decide_about_tagoio_s_own_events() {
    let server = Server::start();
    let sink = Sink::start();
    server.subscribe(&json!({
        "name": "warm", "url": sink.url("/"), "events": ["data.received"],
        "filters": {"data.received": {"conditions": [
            {"variable": "temperature", "is": "><", "value": "20", "second_value": "30", "value_type": "number", "unlock": false},
            {"variable": "door", "is": "=", "value": "open", "value_type": "string", "unlock": false},
        ]}},
    }));
    let bearer = format!("Bearer {TOKEN}");
    let post = |id: u32, variable: &str, value: Value| {
        let points = json!([{"id": format!("{id:024x}"), "device": "66f16881c903480009ff1042", "variable": variable, "value": value}]);
        let body = points.to_string();
        let headers = [("Authorization", bearer.as_str())];
        assert_eq!(server.post("/webhook/tagoio", &headers, body.as_bytes()).word(), "processed");
    };
    post(1, "temperature", json!(20));
    post(2, "temperature", json!(20.5));
    post(3, "temperature", json!(30));
    post(4, "door", json!("open"));
    let seen = sink.wait_for(2);
    let values: Vec<Value> = seen.iter().map(|request| request.json()[0]["value"].clone()).collect();
    assert!(values.contains(&json!(20.5)) && values.contains(&json!("open")), "{values:?}");
    until("all are asked", || {
        let id = server.api("subscriptions")["subscriptions"][0]["id"].as_str().unwrap().to_owned();
        server.api(&format!("subscriptions/{id}"))["evaluations"]["filter"]["of"] == 4
    });
    assert_eq!(sink.count(), 2);
}

#[test]
fn what_can_never_match_is_warned_of_when_configured() {
    let server = Server::start();
    let answer = server.tell("POST", "subscriptions", &json!({
        "name": "slips", "url": "http://127.0.0.1:9/", "events": ["data.received", "usr.*", "user.loginn"],
        "filters": {
            "data.recieved": {"conditions": []},
            "data.received": {"conditions": [{"field": "devcie.name", "operator": "exists"}]},
        },
    }));
    assert_eq!(answer.status, 201);
    let warnings = answer.json()["warnings"].to_string();
    for part in [
        "never used",
        "did you mean data.received?",
        "did you mean device?",
        "begins with",
        "did you mean user.login?",
    ] {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
    for (operator, meant) in
        [("eq", "equals"), (">=", "greater_or_equal"), ("regex", "matches"), ("EQUALS", "equals")]
    {
        let condition = json!({"field": "a", "operator": operator, "value": 1});
        let answer = server.tell(
            "POST",
            "subscriptions",
            &json!({
                "url": "http://127.0.0.1:9/", "events": ["*"], "filters": {"*": {"conditions": [condition]}},
            }),
        );
        let errors = answer.json()["errors"].clone();
        assert_eq!((answer.status, &errors[0]["pointer"]), (400, &json!("/filters/*/conditions/0/operator")));
        let message = errors[0]["message"].as_str().unwrap();
        assert!(message.contains(&format!("did you mean {meant}?")), "{message}");
    }
}

#[test]
fn check_config_tells_of_slips_in_filters() {
    let setup = Setup::new(
        "[[subscription]]\nname = \"s\"\nurl = \"http://127.0.0.1:9/\"\nevents = [\"data.received\"]\n\
         [subscription.filters.\"data.recieved\"]\nexpression = \"true\"\n",
    );
    let out = setup.command(&["check-config"]).output().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(said.contains("never used") && said.contains("did you mean data.received?"), "{said}");
}
