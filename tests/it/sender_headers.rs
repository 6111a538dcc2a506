//! Header lines: those that are sent, as templates, and those of an answer that are odd.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::harness::{Server, Setup, Sink, until};

fn event(room: &str) -> Value {
    json!({"event": "made.up", "id": format!("of {room}"), "data": {"room": room}})
}

#[test]
fn every_header_may_be_a_template_those_with_a_credential_too() {
    let server = Server::start();
    let sink = Sink::start();
    let headers = json!({
        "Authorization": "Bearer {{data.room}}", "X-Room": "{{data.room}}", "X-API-Key": "k-{{data.room}}",
        "X-Auth-Token": "{{data.room}}", "Cookie": "room={{data.room}}", "X-Secret": "plain-secret-4711-abcd",
    });
    let subscription = json!({"name": "s", "url": sink.url("/"), "events": ["*"], "headers": headers});
    let id = server.subscribe(&subscription);
    let preview = json!({"subscription": id, "event": event("A")});
    let preview = server.tell("POST", "subscriptions/preview", &preview).json();
    let shown = |name: &str| {
        let lines = preview["headers"].as_array().unwrap().iter();
        let found = lines.filter(|line| line[0].as_str().unwrap().eq_ignore_ascii_case(name));
        found.map(|line| line[1].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(shown("authorization"), ["Bearer A"]);
    assert_eq!(shown("x-api-key"), ["••••A"], "the text around it is a secret");
    assert_eq!((shown("cookie"), shown("x-secret")), (vec!["••••A".to_owned()], vec!["••••".to_owned()]));
    let told = server.api(&format!("subscriptions/{id}"));
    assert_eq!(told["headers"]["Authorization"], "Bearer {{data.room}}");
    assert_eq!(told["headers"]["X-API-Key"], "••••{{data.room}}");
    // What was got can be put, and a restart opens what was sealed.
    assert_eq!(server.tell("PUT", &format!("subscriptions/{id}"), &told).status, 200);
    let server = server.kill_and_restart();
    server.publish(&event("A"));
    let request = sink.wait_for(1).remove(0);
    for (name, value) in [
        ("authorization", "Bearer A"),
        ("x-room", "A"),
        ("x-api-key", "k-A"),
        ("x-auth-token", "A"),
        ("cookie", "room=A"),
        ("x-secret", "plain-secret-4711-abcd"),
    ] {
        assert_eq!(request.header(name), value, "{name}");
    }
    assert!(!server.log().contains("k-"));
    let unclosed =
        json!({"name": "t", "url": sink.url("/"), "events": ["*"], "headers": {"Cookie": "a={{x"}});
    let refused = server.tell("POST", "subscriptions", &unclosed);
    assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (400, &json!("/headers/Cookie")));
}

#[test]
fn a_template_may_stand_in_the_configuration_and_a_secret_file_is_no_template() {
    let sink = Sink::start();
    let config = format!(
        "[[subscription]]\nname = \"s\"\nurl = \"{}\"\nevents = [\"*\"]\n\
         headers = {{ Authorization = \"Bearer {{{{data.room}}}}\", X-Token = \"file:odd\" }}\n",
        sink.url("/")
    );
    let setup = Setup::new(&config);
    setup.file("odd", "a {{token}} as it is");
    let server = setup.start();
    server.publish(&event("A"));
    let request = sink.wait_for(1).remove(0);
    assert_eq!(
        (request.header("authorization"), request.header("x-token")),
        ("Bearer A", "a {{token}} as it is")
    );
}

#[test]
fn a_url_is_no_template_and_that_is_said_when_it_is_configured() {
    let server = Server::start();
    for url in ["http://127.0.0.1:9/{{data.room}}", "http://127.0.0.1:9/x?room={{data.room}}"] {
        let subscription = json!({"name": "s", "url": url, "events": ["*"]});
        let refused = server.tell("POST", "subscriptions", &subscription);
        assert_eq!(refused.status, 400);
        let fault = refused.json()["errors"][0].clone();
        assert_eq!(fault["pointer"], "/url");
        assert!(fault["message"].as_str().unwrap().contains("is not a template"), "{fault}");
    }
}

#[test]
fn a_header_that_fails_or_lacks_a_value_is_counted_told_and_kept_back_as_a_template_is() {
    let server = Server::start();
    let sink = Sink::start();
    let headers =
        json!({"X-Room": "{{data.room * 2}}", "Authorization": "Bearer {{'s3cret-' + data.room * 2}}"});
    let lenient = server.subscribe(&json!({
        "name": "a", "url": sink.url("/a"), "events": ["*"], "headers": headers,
    }));
    let strict = server.subscribe(&json!({
        "name": "b", "url": sink.url("/b"), "events": ["*"], "missing": "error",
        "headers": {"X-Floor": "{{data.floor}}"},
    }));
    server.publish(&event("A"));
    until("both", || server.messages("status=delivered").len() + server.messages("status=dead").len() == 2);
    assert_eq!(sink.wait_for(1).remove(0).header("x-room"), "");
    let template = server.api(&format!("subscriptions/{lenient}"))["evaluations"]["template"].clone();
    assert_eq!((&template["failed"], &template["of"]), (&json!(1), &json!(1)));
    let why = template["last_failure"]["why"].as_str().unwrap();
    assert!(why.contains("X-Room: data.room * 2: * does not work") || why.contains("Authorization"), "{why}");
    assert!(!template.to_string().contains("s3cret"), "{template}");
    let dead = server.dead_letters(&format!("subscription_id={strict}"));
    assert!(dead[0]["error"].as_str().unwrap().contains("data.floor"), "{dead:?}");
    let preview = json!({"subscription": strict, "event": event("A")});
    let preview = server.tell("POST", "subscriptions/preview", &preview).json();
    assert_eq!(preview["missing"], json!(["data.floor"]));
    assert!(preview["warnings"].to_string().contains("would not be sent"), "{preview}");
    let id = server.messages(&format!("subscription_id={lenient}"))[0]["id"].as_str().unwrap().to_owned();
    assert!(!server.api(&format!("messages/{id}")).to_string().contains("s3cret"));
}

#[test]
fn a_batch_holds_the_events_with_one_value_of_each_header_and_a_bad_one_ends_its_own_message_only() {
    let server = Server::start();
    let sink = Sink::start();
    server.subscribe(&json!({
        "name": "s", "url": sink.url("/"), "events": ["*"], "headers": {"X-Room": "{{data.room}}"},
        "batch": {"size": 5, "flush_interval_ms": 60_000},
        "retry_policy": {"max_attempts": 1},
    }));
    for (at, room) in ["A\nB", "A", "B", "A", "B"].into_iter().enumerate() {
        server.publish(&json!({"event": "made.up", "id": format!("e{at}"), "data": {"room": room}}));
    }
    for request in sink.wait_for(2) {
        let body = request.json();
        let rooms: Vec<&str> =
            body.as_array().unwrap().iter().map(|item| item["data"]["room"].as_str().unwrap()).collect();
        assert_eq!(rooms, [request.header("x-room"); 2]);
    }
    until("the others", || server.messages("status=delivered").len() == 4);
    let dead = server.dead_letters("");
    assert_eq!((dead.len(), &dead[0]["event_id"]), (1, &json!("e0")));
    assert!(dead[0]["error"].as_str().unwrap().starts_with("header_invalid"), "{dead:?}");
}

/// An endpoint whose every answer is these bytes.
fn odd_endpoint(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line).unwrap_or(0) == 0 {
                        return;
                    }
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line == "\r\n" {
                        break;
                    }
                }
                let mut body = vec![0; length];
                let _ = stream.read_exact(&mut body);
                let _ = stream.get_mut().write_all(answer.as_bytes());
            });
        }
    });
    url
}

#[test]
fn an_answer_with_an_odd_header_line_counts_with_its_status_and_body() {
    for (answer, status, state) in [
        (
            "HTTP/1.1 200 OK\r\nX Odd: 1\r\nX-Good: yes\r\nContent-Length: 5\r\nConnection: close\r\n\r\ntaken",
            200,
            "delivered",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nX@[]: 1\r\nX-Good: yes\r\nContent-Length: 5\r\nConnection: close\r\n\r\nwhere",
            404,
            "dead",
        ),
    ] {
        let server = Server::start();
        let url = odd_endpoint(answer);
        server.subscribe(&json!({
            "name": "s", "url": url, "events": ["*"], "retry_policy": {"max_attempts": 1},
        }));
        server.publish(&event("A"));
        until("the outcome", || server.messages(&format!("status={state}")).len() == 1);
        let id = server.messages("")[0]["id"].as_str().unwrap().to_owned();
        let attempt = server.api(&format!("messages/{id}"))["attempts"][0].clone();
        assert_eq!((&attempt["status"], &attempt["error"]), (&json!(status), &Value::Null), "{attempt}");
        assert!(["taken", "where"].contains(&attempt["response_body"].as_str().unwrap()), "{attempt}");
        assert!(attempt["response_headers"].to_string().contains("x-good"), "{attempt}");
        assert_eq!(server.api("stats")["overall"]["total_sent"], 1, "it is sent once");
    }
}
