//! Requests that a client or a proxy repeats by itself, as its connection ended without a response.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use crate::harness::{
    Fate, Forwarder, Nginx, SECRET, Server, Setup, TOKEN, exchange, hmac_hex, login, until,
};

/// Posts to a source on one connection of curl, each with a header line.
fn curl_posts(address: SocketAddr, source: &str, posts: &[(String, String)]) {
    let url = format!("http://{address}/webhook/{source}");
    let mut command = Command::new("curl");
    for (at, (line, body)) in posts.iter().enumerate() {
        if at > 0 {
            command.arg("--next");
        }
        command.args(["-sS", "--json", body, "-H", line, "-H", "TagoIO-Retries: 1", &url]);
    }
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Two signed logins on one connection of curl, with these ids.
fn curl(address: SocketAddr, ids: [&str; 2]) {
    let signed = ids.map(|id| {
        let signature = hmac_hex(SECRET.as_bytes(), login(id).as_bytes());
        (format!("X-TagoRUN-Signature: {signature}"), login(id))
    });
    curl_posts(address, "tagorun", &signed);
}

/// The attempts of an event, once there are two.
fn attempts(server: &Server, id: &str) -> Vec<Value> {
    let all = || server.api(&format!("events/{id}/timeline"))["attempts"].as_array().unwrap().clone();
    until("two attempts", || all().len() > 1);
    all()
}

/// Their verdicts in the order of the alphabet: a repeat may be written before the request that it repeats.
fn verdicts(attempts: &[Value]) -> Vec<&str> {
    let mut verdicts: Vec<&str> = attempts.iter().map(|one| one["verdict"].as_str().unwrap()).collect();
    verdicts.sort_unstable();
    verdicts
}

/// What is said of a delivery, in its diagnosis and on its page.
fn said(server: &Server, attempt: &Value) -> (Value, String) {
    let id = attempt["id"].as_str().unwrap();
    let page = exchange(server.inspector, "GET", &format!("/deliveries/{id}"), &[], b"").body;
    (server.delivery(id), String::from_utf8(page).unwrap())
}

/// The attempts of an event whose client hung up: the one that it gave up, and the one that repeats it.
fn hung_up(server: &Server, id: &str) -> [Value; 2] {
    let is_noted = |attempt: &Value| !said(server, attempt).0["hung_up_after_us"].is_null();
    until("the note", || attempts(server, id).iter().any(is_noted));
    // Under load the repeat may be read before the request that it repeats.
    let mut both = attempts(server, id);
    both.sort_by_key(|attempt| !is_noted(attempt));
    assert_eq!((verdicts(&both), &both[0]["repeat"]), (vec!["accepted", "duplicate"], &Value::Null));
    both.try_into().unwrap()
}

#[test]
fn what_curl_repeats_on_a_closed_connection_is_known_and_taken_once() {
    let server = Server::start();
    let forwarder =
        Forwarder::start(server.receiver, |at| if at == 1 { Fate::CloseBeforeResponse } else { Fate::Pass });
    curl(forwarder.address, ["evt_1", "evt_2"]);
    let attempts = hung_up(&server, "evt_2");
    let repeat = attempts[1]["repeat"].as_str().unwrap();
    assert!(repeat.starts_with("The client repeated the request on a new connection"), "{repeat}");
    assert!(repeat.ends_with(": the first one closed before our response."), "{repeat}");

    let (first, page) = said(&server, &attempts[0]);
    assert_eq!(first["connection_deliveries"], 2);
    assert!(page.contains("the client closed its side of the connection after "), "{page}");
    let (second, page) = said(&server, &attempts[1]);
    assert_eq!((&second["connection_deliveries"], &second["hung_up_after_us"]), (&1.into(), &Value::Null));
    assert_ne!(first["peer_port"], second["peer_port"]);
    assert_eq!(second["repeat"], repeat);
    let diagnosis = second["diagnosis"].as_str().unwrap();
    assert!(diagnosis.ends_with(repeat), "{diagnosis}");
    assert_eq!(page.matches(repeat).count(), 2, "the diagnosis and the timeline: {page}");

    let alone = server.deliveries("event_id=evt_1");
    assert_eq!((alone.len(), &said(&server, &alone[0]).0["repeat"]), (1, &Value::Null));
}

#[test]
fn a_repeat_after_a_response_that_was_lost_on_its_way_has_another_possible_cause() {
    let server = Server::start();
    let forwarder =
        Forwarder::start(server.receiver, |at| if at == 1 { Fate::CloseAfterResponse } else { Fate::Pass });
    curl(forwarder.address, ["evt_1", "evt_2"]);
    let attempts = attempts(&server, "evt_2");
    let repeat = attempts[1]["repeat"].as_str().unwrap();
    assert!(repeat.starts_with("The same request arrived again on another connection, "), "{repeat}");
    assert!(repeat.ends_with("Or the sender sent it twice."), "{repeat}");
    assert!(said(&server, &attempts[1]).0["diagnosis"].as_str().unwrap().ends_with(repeat));
}

#[test]
fn without_an_id_both_are_events_and_the_second_says_so() {
    let server = Setup::new("[[source]]\nname = \"open\"\nsignature = \"none\"\n").start();
    let forwarder =
        Forwarder::start(server.receiver, |at| if at == 1 { Fate::CloseBeforeResponse } else { Fate::Pass });
    let post = ("X-Odd: 1".to_owned(), r#"{"event":"made.up"}"#.to_owned());
    curl_posts(forwarder.address, "open", &[post.clone(), post]);
    until("three deliveries", || server.deliveries("").len() == 3);
    let repeated = || {
        let all = server.deliveries("").into_iter().map(|row| server.delivery(row["id"].as_str().unwrap()));
        all.into_iter()
            .find(|one| one["repeat"].as_str().is_some_and(|repeat| repeat.starts_with("The client")))
    };
    until("the note", || repeated().is_some());
    let repeat = repeated().unwrap();
    assert_eq!(repeat["verdict"], "accepted");
    let diagnosis = repeat["diagnosis"].as_str().unwrap();
    assert!(diagnosis.contains("Both are events, as they have no id"), "{diagnosis}");
}

#[test]
fn a_repeated_post_of_an_action_is_not_taken_for_two_actions() {
    let server = Server::start();
    let forwarder =
        Forwarder::start(server.receiver, |at| if at == 1 { Fate::CloseBeforeResponse } else { Fate::Pass });
    let points =
        |id: u32| format!(r#"[{{"id":"66f1a2b3c4d5e6f7{id:08}","variable":"co2","value":415,"group":"g"}}]"#);
    let token = format!("Authorization: Bearer {TOKEN}");
    curl_posts(forwarder.address, "tagoio", &[(token.clone(), points(1)), (token, points(2))]);
    let diagnosis = || {
        let repeats = server.deliveries("verdict=duplicate");
        repeats.first().map(|row| server.delivery(row["id"].as_str().unwrap())["diagnosis"].to_string())
    };
    until("the note", || diagnosis().is_some_and(|diagnosis| diagnosis.contains("The client repeated th")));
    assert!(!diagnosis().unwrap().contains("two Actions"), "{:?}", diagnosis());
}

#[test]
fn a_senders_own_retry_is_no_repeat_by_its_client() {
    let server = Server::start();
    let points = |attempt: &str| {
        let body = br#"[{"id":"66f1a2b3c4d5e6f700000001","variable":"co2","value":415}]"#;
        let token = format!("Bearer {}", TOKEN);
        let headers = [("Authorization", token.as_str()), ("TagoIO-Retries", attempt)];
        assert_eq!(server.post("/webhook/tagoio", &headers, body).status, 200);
        server.newest()
    };
    points("1");
    let second = points("2");
    assert_eq!((&second["verdict"], &second["repeat"]), (&"duplicate".into(), &Value::Null));
    // Who is refused may try again at once.
    for _ in 0..2 {
        server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", "00")], b"{}");
    }
    assert_eq!((&server.newest()["verdict"], &server.newest()["repeat"]), (&"rejected".into(), &Value::Null));
}

#[test]
fn what_a_proxy_repeats_upstream_is_not_blamed_on_the_client_alone() {
    let server = Server::start();
    let forwarder = Forwarder::start(server.receiver, |_| Fate::CloseBeforeResponse);
    let address = Nginx::free_address();
    let nginx = Nginx::start(
        address,
        &format!(
            "location / {{ proxy_pass http://both; proxy_next_upstream error timeout non_idempotent;\n\
             proxy_set_header X-Forwarded-For $remote_addr; }} }}\n\
             upstream both {{ server {} max_fails=0; server {} backup;",
            forwarder.address, server.receiver
        ),
    );
    let body = login("evt_1");
    let signature = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let headers = [("X-TagoRUN-Signature", signature.as_str())];
    assert_eq!(exchange(nginx.address, "POST", "/webhook/tagorun", &headers, body.as_bytes()).status, 200);
    let attempts = hung_up(&server, "evt_1");
    let repeat = attempts[1]["repeat"].as_str().unwrap();
    assert!(repeat.starts_with("The client or a proxy repeated the request on a new connection"), "{repeat}");
}

/// Two signed logins on one connection of a program that is run by these words, the second response lost.
fn repeated_by(words: &[&str]) {
    if Command::new(words[0]).arg("version").output().is_err() {
        println!("{} is not installed: what its client repeats is not tested", words[0]);
        return;
    }
    let server = Server::start();
    let forwarder =
        Forwarder::start(server.receiver, |at| if at == 1 { Fate::CloseBeforeResponse } else { Fate::Pass });
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"));
    command.arg(format!("http://{}/webhook/tagorun", forwarder.address));
    for id in ["evt_1", "evt_2"] {
        command.args([hmac_hex(SECRET.as_bytes(), login(id).as_bytes()), login(id)]);
    }
    let out = command.output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&out.stdout),
        "200\n200\n",
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let attempts = hung_up(&server, "evt_2");
    let repeat = attempts[1]["repeat"].as_str().unwrap();
    assert!(repeat.starts_with("The client repeated the request"), "{repeat}");
}

#[test]
fn what_java_repeats_is_known() {
    repeated_by(&["java", "-XX:TieredStopAtLevel=1", "Repeats.java"]);
}

#[test]
fn what_go_repeats_with_an_idempotency_key_is_known() {
    repeated_by(&["go", "run", "repeats.go"]);
}

#[test]
fn urllib3_posts_again_after_a_redirect_and_the_signature_still_matches() {
    let server = Server::start();
    let address = Nginx::free_address();
    let to = server.receiver;
    let location = format!("location / {{ return 302 http://{to}$request_uri; }}");
    let nginx = Nginx::start(address, &location);
    let script = "import sys, urllib3; url, signature, body = sys.argv[1:]; \
                  print(urllib3.PoolManager().request('POST', url, body=body, headers={'X-TagoRUN-Signature': signature}).status)";
    let body = login("evt_1");
    let signature = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let url = format!("http://{}/webhook/tagorun", nginx.address);
    let packages = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/python");
    let out = Command::new("python3")
        .env("PYTHONPATH", packages)
        .args(["-c", script, &url, &signature, &body])
        .output();
    let out = out.unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), "200\n", "{}", String::from_utf8_lossy(&out.stderr));
    let newest = server.newest();
    assert_eq!((&newest["verdict"], &newest["method"]), (&"accepted".into(), &"POST".into()));
    assert_eq!(newest["repeat"], Value::Null, "the first one went elsewhere");
}
