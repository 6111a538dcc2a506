//! What the real TagoCore does to the URL of an Action, done with its HTTP client (axios 0.26.0).

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Nginx, Server, TOKEN, until};

/// What an Action sends, and what came of each try.
fn act(steps: &Value) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let mut command = Command::new("node");
    command.arg("tagocore.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(steps.to_string().as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "./test installs axios");
    serde_json::from_slice(&out.stdout).unwrap()
}

fn action(url: &str, token: &str, points: &Value) -> Value {
    let headers =
        json!({"Authorization": format!("Bearer {token}"), "TagoIO-Device": "66f1a2b3c4d5e6f7000000aa"});
    json!({"url": url, "headers": headers, "points": points})
}

fn url(server: &Server, path: &str) -> String {
    format!("http://{}/webhook/tagoio{path}", server.receiver)
}

/// The uplink of one sensor of The Things Network: 23 points, as TagoCore writes them. `first` makes their ids.
fn uplink(first: u64) -> Value {
    let value = |at: u64| match at {
        0..=11 => (json!("number"), json!(f64::from(u32::try_from(at).unwrap()) - 2.5)),
        12..=15 => (json!("string"), json!(format!("SF{at}BW125"))),
        16..=19 => (json!("boolean"), json!(at == 16)),
        20 => (json!("undefined"), Value::Null),
        _ => (json!("string"), json!("gateway")),
    };
    let point = |at: u64| {
        let (kind, value) = value(at);
        let mut point = json!({"id": format!("{:024x}", first + at), "variable": format!("variable_{at}"), "group": "1f3c",
            "time": "2026-03-09T07:14:58.402Z", "created_at": "2026-03-09T07:14:58.500Z", "type": kind, "value": value});
        if point["value"].is_null() {
            point.as_object_mut().unwrap().remove("value");
        }
        if at > 20 {
            point["location"] = json!({"type": "Point", "coordinates": [-78.9, 35.99]});
        }
        point
    };
    Value::Array((0..23).map(point).collect())
}

#[test]
fn ten_tries_without_a_pause_are_ten_deliveries_and_claim_nothing() {
    let server = Server::start();
    let points = uplink(1);
    let done = act(&json!([
        action(&url(&server, "/forward"), "not-the-token-of-the-source", &points),
        action(&url(&server, "/forward"), TOKEN, &points),
    ]));
    assert_eq!(done[0]["statuses"], json!(vec![401; 10]));
    assert_eq!(done[1]["statuses"], json!([200]), "what was refused is still new");
    println!("ten tries in {:.0} ms", done[0]["ms"].as_f64().unwrap());
    let refused = server.deliveries("verdict=rejected");
    assert_eq!(refused.len(), 10);
    let tries: Vec<String> = refused
        .iter()
        .rev()
        .map(|row| {
            let whole = server.delivery(row["id"].as_str().unwrap());
            assert_eq!((&whole["reason"], &whole["repeat"]), (&json!("credentials_wrong"), &Value::Null));
            let lines = whole["headers"].as_array().unwrap().iter();
            let line = lines.clone().find(|line| line[0] == "TagoIO-Retries").unwrap();
            assert!(lines.clone().any(|line| line[1] == "axios/0.26.0"));
            line[1].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(tries, (1..=10).map(|at| at.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_post_that_a_redirect_turned_into_a_get_is_not_delivered_and_is_listed() {
    let server = Server::start();
    let receiver = server.receiver;
    for status in [301, 302] {
        let location = format!("location / {{ return {status} http://{receiver}$request_uri; }}");
        let nginx = Nginx::start(Nginx::free_address(), &location);
        let url = format!("http://{}/webhook/tagoio/forward", nginx.address);
        let done = act(&json!([action(&url, TOKEN, &uplink(1))]));
        assert_eq!(done[0]["statuses"], json!(vec![405; 10]), "{status}");
    }
    assert!(server.deliveries("").is_empty());
    let refusals = server.api("refusals")["refusals"].clone();
    let listed = &refusals[0];
    assert_eq!(
        (&listed["status"], &listed["count"], &listed["likely"]),
        (&json!(405), &json!(20), &json!(true))
    );
    let detail = listed["detail"].as_str().unwrap();
    assert!(detail.contains("redirect") && detail.contains("TagoIO-Retries"), "{detail}");
}

#[test]
fn a_redirect_that_keeps_the_post_loses_its_credential() {
    let server = Server::start();
    let location = format!("location / {{ return 307 http://{}$request_uri; }}", server.receiver);
    let nginx = Nginx::start(Nginx::free_address(), &location);
    let done =
        act(&json!([action(&format!("http://{}/webhook/tagoio/forward", nginx.address), TOKEN, &uplink(1))]));
    assert_eq!(done[0]["statuses"], json!(vec![401; 10]));
    let newest = server.newest();
    assert_eq!((&newest["method"], &newest["reason"]), (&json!("POST"), &json!("credentials_missing")));
    assert!(newest["diagnosis"].as_str().unwrap().contains("takes it out"), "{newest}");
}

#[test]
fn the_empty_post_of_an_action_on_an_interval_is_named() {
    let server = Server::start();
    let done = act(&json!([action(&url(&server, "/tick"), TOKEN, &Value::Null)
        .as_object()
        .map(|step| json!({"url": step["url"], "headers": step["headers"]}))
        .unwrap()]));
    assert_eq!(done[0]["statuses"], json!(vec![400; 10]));
    let newest = server.newest();
    assert_eq!((&newest["reason"], &newest["size_bytes"]), (&json!("not_json"), &json!(0)));
    let diagnosis = newest["diagnosis"].as_str().unwrap();
    assert!(diagnosis.contains("an interval or a schedule"), "{diagnosis}");
}

#[test]
fn two_actions_on_one_upload_are_two_events() {
    let server = Server::start();
    let points = uplink(1);
    let done = act(&json!([{"together": [
        action(&url(&server, "/forward"), TOKEN, &points),
        action(&url(&server, "/alarm"), TOKEN, &points),
    ]}, action(&url(&server, "/alarm"), TOKEN, &points)]));
    assert_eq!((&done[0][0]["statuses"], &done[0][1]["statuses"]), (&json!([200]), &json!([200])));
    until("three deliveries", || server.deliveries("").len() == 3);
    let accepted = server.deliveries("verdict=accepted");
    let mut paths: Vec<&str> = accepted.iter().map(|row| row["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/webhook/tagoio/alarm", "/webhook/tagoio/forward"]);
    assert_eq!(server.deliveries("verdict=duplicate").len(), 1, "the same Action again");
}

#[test]
fn points_from_a_fallback_device_have_new_ids_and_are_the_same_event() {
    let server = Server::start();
    let first = uplink(1);
    let mut again = uplink(1_000);
    for point in again.as_array_mut().unwrap() {
        point["created_at"] = json!("2026-03-09T07:20:01.000Z");
    }
    act(&json!([
        action(&url(&server, "/forward"), TOKEN, &first),
        action(&url(&server, "/forward"), TOKEN, &again)
    ]));
    assert_eq!(server.deliveries("verdict=accepted").len(), 1);
    let newest = server.newest();
    assert_eq!(newest["verdict"], "duplicate");
    assert!(newest["diagnosis"].as_str().unwrap().contains("a fallback device"), "{newest}");
}

#[test]
fn an_uplink_of_twenty_three_points_is_one_event_with_every_kind_of_value() {
    let server = Server::start();
    let done = act(&json!([action(&url(&server, "/forward"), TOKEN, &uplink(1))]));
    assert_eq!(done[0]["statuses"], json!([200]));
    let newest = server.newest();
    assert_eq!((&newest["verdict"], &newest["event_type"]), (&json!("accepted"), &json!("data.received")));
    assert!(newest["diagnosis"].as_str().unwrap().contains("23 data points"), "{}", newest["diagnosis"]);
    let sent: Value = serde_json::from_slice(&server.raw(newest["id"].as_str().unwrap())).unwrap();
    assert_eq!(sent, uplink(1));
    let page = crate::harness::exchange(
        server.inspector,
        "GET",
        &format!("/deliveries/{}", newest["id"].as_str().unwrap()),
        &[],
        b"",
    );
    let page = String::from_utf8(page.body).unwrap();
    for shown in ["variable_0", "-2.5", "SF15BW125", "false", "variable_20", "35.99"] {
        assert!(page.contains(shown), "{shown}");
    }
}
