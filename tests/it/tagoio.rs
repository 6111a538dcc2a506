//! TagoIO as it really is: what its Actions send, what becomes of it, and what is said about it.

use serde_json::{Value, json};

use crate::harness::{Connection, SECRET, Server, Setup, Sink, TOKEN, exchange, until};

pub const AT: &str = "2026-03-09T07:14:58.402Z";

fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

/// Posts as an Action does at its try of that number.
pub fn action(server: &Server, path: &str, attempt: u32, body: &str) -> crate::harness::Answer {
    let headers = [
        ("Accept", "application/json, text/plain, */*"),
        ("Content-Type", "application/json"),
        ("Authorization", &bearer()),
        ("TagoIO-Retries", &attempt.to_string()),
        ("User-Agent", "axios/0.26.0"),
    ];
    server.post(path, &headers, body.as_bytes())
}

/// Points of one uplink whose ids begin with `ids`: numbers, texts, truth, places, one without a value.
pub fn uplink(ids: &str) -> Value {
    let texts = [("mode", json!("eco")), ("fw", json!("1.04")), ("door", json!(false)), ("empty", json!(""))];
    let numbers = (0..16).map(|n| (format!("n{n}"), json!(f64::from(n) * 1.5 - 3.0)));
    let all = numbers.chain(texts.map(|(name, value)| (name.to_owned(), value)));
    let mut points: Vec<Value> = all
        .enumerate()
        .map(|(n, (variable, value))| {
            json!({"id": format!("{ids}{n:020}"), "variable": variable, "value": value, "group": format!("{ids}-group"),
                "time": AT, "created_at": AT, "type": "number", "metadata": {}})
        })
        .collect();
    for (n, place) in
        [json!({"lat": 1, "lng": 2}), json!({"type": "Point", "coordinates": [2, 1]})].into_iter().enumerate()
    {
        points.push(
            json!({"id": format!("{ids}-place-{n}"), "variable": "gps", "value": "here", "location": place,
            "group": format!("{ids}-group"), "time": AT}),
        );
    }
    points.push(
        json!({"id": format!("{ids}-none"), "variable": "none", "group": format!("{ids}-group"), "time": AT,
        "type": "undefined"}),
    );
    Value::Array(points)
}

pub fn page(server: &Server, path: &str) -> String {
    let answer = exchange(server.inspector, "GET", path, &[], b"");
    assert_eq!(answer.status, 200, "{path}");
    String::from_utf8(answer.body).unwrap()
}

fn diagnosis(server: &Server) -> String {
    server.newest()["diagnosis"].as_str().unwrap().to_owned()
}

#[test]
fn a_post_that_a_redirect_turned_into_a_get_is_refused_and_shown_and_bare_probes_are_well() {
    let server = Setup::new("[[source]]\nname = \"none\"\nsignature = \"none\"\n[[source]]\nname = \"tagoio\"\nsignature = \"none\"\ncredentials = [{ bearer = \"file:tagoio-token\" }]\n").start();
    let redirected = [("Authorization", &*bearer()), ("TagoIO-Retries", "1"), ("Accept", "*/*")];
    for _ in 0..3 {
        let answer = server.ask("GET", "/webhook/tagoio", &redirected);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST, OPTIONS")));
    }
    for (target, line) in [
        ("/webhook/none?temp=21.5", ("Accept", "*/*")),
        ("/webhook/none", ("Content-Type", "application/octet-stream")),
        ("/webhook/none", ("Referer", "http://h.example/webhook/none")),
        ("/webhook/none", ("webhook-id", "a")),
        ("/webhook/none", ("X-TagoRUN-Signature", "00")),
        ("/webhook/none", ("Authorization", "Basic dTpw")),
    ] {
        assert_eq!(server.ask("GET", target, &[line]).status, 405, "{target} {line:?}");
    }
    assert_eq!(exchange(server.receiver, "GET", "/webhook/none", &[], b"temp=21.5").status, 405);
    // MicroPython keeps the length of the body that it no longer sends.
    let mut connection = Connection::open(server.receiver);
    connection.write(b"GET /webhook/none HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n");
    assert_eq!(connection.answer_to("GET").unwrap().status, 405);
    for (method, target, lines) in [
        ("GET", "/webhook/none", &[("User-Agent", "kube-probe/1.30")][..]),
        ("GET", "/webhook/none", &[("Content-Length", "0")]),
        ("GET", "/webhook/tagoio?_=177", &[]),
        ("HEAD", "/webhook/none?a=1", &[("Authorization", "x")]),
    ] {
        assert_eq!(server.ask(method, target, lines).status, 200, "{method} {target}");
    }
    assert_eq!(server.deliveries("").len(), 0);
    let told = server.api("overview")["attention"].to_string();
    for sentence in [
        "3 requests were refused before becoming a delivery: wrong method. Latest: GET /webhook/tagoio. A redirect turned a POST into this GET, and the data is lost: \
         TagoIO-Retries is still there. Enter the final URL in the sender, usually https:// instead of http://.",
        "2 requests were refused before becoming a delivery: wrong method. Latest: GET /webhook/none. This GET carries a body, but only POST delivers an event.",
    ] {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    let refused = server.api("refusals?limit=500")["refusals"].clone();
    for detail in [
        "the Referer of a webhook is still there.",
        "This GET carries the query parameter temp, but only POST",
    ] {
        assert!(refused.to_string().contains(detail), "{detail}: {refused}");
    }
    assert!(
        refused.as_array().unwrap().iter().all(|kind| kind["status"] == 405 || kind["likely"] == true),
        "{refused}"
    );
    assert!(!refused.to_string().contains(TOKEN));
}

#[test]
fn a_path_near_a_route_is_named_and_a_doubled_slash_is_read_as_meant() {
    let server = Server::start();
    let body = json!([{"id": "a1", "variable": "t", "value": 1}]).to_string();
    for _ in 0..12 {
        assert_eq!(action(&server, "/webhooks/tagoio", 1, &body).status, 404);
    }
    assert_eq!(action(&server, "/tagoio", 1, &body).status, 404);
    // An interval's Action has an empty form; its header still says whose it is.
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("TagoIO-Retries", "1")];
    assert_eq!(server.post("/", &form, b"").status, 404);
    let told = server.api("overview")["attention"].to_string();
    for sentence in [
        "13 requests were refused before becoming a delivery: unknown path. Latest: POST /tagoio. The route is /webhook/tagoio.",
        "1 request was refused before becoming a delivery: unknown path. Latest: POST /. The routes are /webhook/tagorun, /webhook/tagoio and /webhook-test.",
    ] {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    assert_eq!(action(&server, "/webhook//tagoio", 1, &body).word(), "processed");
    assert_eq!(server.newest()["source"], "tagoio");
}

#[test]
fn ten_tries_in_a_moment_are_one_event_and_an_uplink_of_23_points_is_taken_whole() {
    let server = Server::start();
    let body = uplink("aa").to_string();
    let words: Vec<String> = std::thread::scope(|scope| {
        let tries: Vec<_> = (1..=10)
            .map(|attempt| {
                let (server, body) = (&server, &body);
                scope.spawn(move || action(server, "/webhook/tagoio", attempt, body).word())
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(words.iter().filter(|word| *word == "processed").count(), 1, "{words:?}");
    assert_eq!(words.iter().filter(|word| *word == "already_processed").count(), 9);
    let accepted = server.deliveries("verdict=accepted");
    assert_eq!((accepted.len(), accepted[0]["event_type"].as_str()), (1, Some("data.received")));
    let said = server.delivery(accepted[0]["id"].as_str().unwrap())["diagnosis"].to_string();
    assert!(said.contains("the event is new, recognised by the ids of 23 data points"), "{said}");
}

#[test]
fn points_of_a_fallback_device_are_the_same_event_and_told_as_what_they_are() {
    let server = Server::start();
    assert_eq!(action(&server, "/webhook/tagoio", 10, &uplink("aa").to_string()).word(), "processed");
    let first = server.newest()["id"].clone();
    // Other ids, the rest as it was.
    let fallback = uplink("bb").to_string().replace("bb-group", "aa-group");
    assert_eq!(action(&server, "/webhook/tagoio", 1, &fallback).word(), "already_processed");
    let newest = server.newest();
    assert_eq!((&newest["duplicate_of"], &newest["verdict"]), (&first, &json!("duplicate")));
    let said = newest["diagnosis"].as_str().unwrap();
    assert!(
        said.contains("under other ids") && said.contains("a fallback device posted them again"),
        "{said}"
    );
    assert!(
        page(&server, &format!("/deliveries/{}", newest["id"].as_str().unwrap()))
            .contains("a fallback device posted")
    );
    // The same ids: an ordinary repeat.
    assert_eq!(action(&server, "/webhook/tagoio", 2, &uplink("aa").to_string()).word(), "already_processed");
    assert!(!diagnosis(&server).contains("fallback"), "{}", diagnosis(&server));
    // A new reading, also one of the same value.
    assert_eq!(action(&server, "/webhook/tagoio", 1, &uplink("cc").to_string()).word(), "processed");
}

#[test]
fn an_interval_s_empty_post_is_called_by_its_name() {
    let server = Server::start();
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Authorization", &*bearer()),
        ("TagoIO-Retries", "1"),
    ];
    assert_eq!(server.post("/webhook/tagoio", &headers, b"").status, 400);
    let said = diagnosis(&server);
    assert!(said.contains("an Action on an interval or a schedule posts no data"), "{said}");
    assert!(said.contains("Analysis") && !said.contains("redirect"), "{said}");
    server.post("/webhook/tagoio", &[("Authorization", &bearer())], b"");
    assert!(diagnosis(&server).contains("The body is empty: the sender sent none"), "{}", diagnosis(&server));
}

#[test]
fn a_right_credential_in_the_wrong_place_is_named_and_nowhere_in_clear() {
    let server = Server::start();
    let post = |target: &str, headers: &[(&str, &str)]| {
        let answer = server.post(target, headers, b"[]");
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json(), json!({"error": "Unauthorized"}), "the sender learns nothing");
        diagnosis(&server)
    };
    let (headline, wanted) =
        ("Right credential, sent the wrong way.", "Send it as Authorization: Bearer TOKEN.");
    for (value, how) in [
        (TOKEN.to_owned(), "without the word Bearer"),
        (format!("Bearer: {TOKEN}"), "with a colon behind that word"),
        (format!("Bearer \"{TOKEN}\""), "in quotes or brackets"),
        (format!("Token {TOKEN}"), "behind the word Token instead of Bearer"),
        (format!("Authorization: Bearer {TOKEN}"), "with the header's name repeated in its value"),
    ] {
        let said = post("/webhook/tagoio", &[("Authorization", &value)]);
        assert_eq!(
            said,
            format!("{headline} The right token (file:tagoio-token) came {how}. {wanted}"),
            "{value}"
        );
    }
    for name in ["Token", "X-Anything"] {
        let said = post("/webhook/tagoio", &[(name, TOKEN)]);
        assert_eq!(
            said,
            format!("{headline} The right token (file:tagoio-token) came in the header {name}. {wanted}")
        );
    }
    for (target, how) in [
        (format!("/webhook/tagoio?token={TOKEN}"), "in the URL, as the parameter token"),
        (format!("/webhook/tagoio?t={TOKEN}&a=1"), "in the URL, as the parameter t"),
        (format!("/webhook/tagoio/{TOKEN}"), "in the URL"),
    ] {
        assert!(post(&target, &[]).contains(&format!("came {how}. {wanted}")), "{target}");
    }
    let signs = post("/webhook/tagoio", &[("Authorization", &format!("Bearer {SECRET}"))]);
    assert!(
        signs.contains("carries file:signing-secret, the signing secret of source “tagorun”."),
        "{signs}"
    );
    assert!(signs.ends_with("Source “tagoio” expects file:tagoio-token."), "{signs}");
    let wrong = post("/webhook/tagoio", &[("Authorization", "Bearer some-other-token-0123456789")]);
    assert!(!wrong.contains("right token"), "{wrong}");
    let mut kept = server.log();
    for row in server.deliveries("") {
        kept.push_str(&server.delivery(row["id"].as_str().unwrap()).to_string());
    }
    let mut files = Vec::new();
    for name in ["tagohook.db", "tagohook.db-wal"] {
        files.extend(std::fs::read(server.data_dir().join(name)).unwrap_or_default());
    }
    for secret in [TOKEN, SECRET] {
        assert!(!kept.contains(secret), "shown");
        assert!(memchr::memmem::find(&files, secret.as_bytes()).is_none(), "in the store");
    }
}

#[test]
fn the_device_comes_from_the_path_or_a_header_where_the_points_name_none() {
    let server = Setup::new(
        "[[source]]\nname = \"by-path\"\nsignature = \"none\"\ndevice = \"path\"\n\
         [[source]]\nname = \"by-header\"\nsignature = \"none\"\ndevice = \"header:TagoIO-Device\"\n",
    )
    .start();
    let sink = Sink::start();
    server.subscribe(&json!({"name": "all", "url": sink.url("/"), "events": ["data.*"],
        "payload_template": {"device": "{{device.id}}"}}));
    let bare = |n: u32| json!([{"id": format!("p{n}"), "variable": "t", "value": n}]).to_string();
    let entity = || server.newest()["entity"].clone();
    server.post("/webhook/by-path/pump%203/forward", &[], bare(1).as_bytes());
    assert_eq!(entity(), "pump 3");
    server.post("/webhook/by-header", &[("tagoio-device", "dev-7")], bare(2).as_bytes());
    assert_eq!(entity(), "dev-7");
    server.post("/webhook/by-header", &[], bare(3).as_bytes());
    assert_eq!(entity(), Value::Null);
    // TagoCore fills in no variable of a header.
    server.post("/webhook/by-header", &[("tagoio-device", "$DEVICE$")], bare(7).as_bytes());
    assert_eq!(entity(), Value::Null);
    let said = server.newest()["diagnosis"].to_string();
    assert!(said.contains("no device: header:TagoIO-Device is $DEVICE$, a placeholder"), "{said}");
    server.post("/webhook/by-path/other", &[], br#"[{"id":"p4","variable":"t","device":"own"}]"#);
    assert_eq!(entity(), "own", "what the points name comes first");
    let several = br#"[{"id":"p5","variable":"t","device":"a"},{"id":"p6","variable":"t","device":"b"}]"#;
    server.post("/webhook/by-path/other", &[], several);
    assert_eq!(entity(), Value::Null, "points of several devices are about none");
    until("the messages", || sink.seen().len() == 6);
    let mut devices: Vec<Value> = sink.seen().iter().map(|seen| seen.json()["device"].clone()).collect();
    devices.sort_by_key(Value::to_string);
    assert_eq!(
        devices,
        [json!("dev-7"), json!("own"), json!("pump 3"), Value::Null, Value::Null, Value::Null]
    );
    until("the devices", || server.api("entities")["entities"].as_array().unwrap().len() == 3);
    let bad = Setup::new("[[source]]\nname = \"s\"\nsignature = \"none\"\ndevice = \"paths\"\n");
    let output = bad.command(&["check-config"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("header:NAME"), "{output:?}");
}

#[test]
fn a_loop_through_a_device_ends_where_the_template_carries_the_message_s_mark() {
    let server = Server::start();
    let sink = Sink::start();
    server.subscribe(&json!({"name": "to the device", "url": sink.url("/data"), "events": ["data.received"],
        "payload_template": [{"variable": "echo", "value": 1, "metadata": {"sent": "{{event.mark}}"}}]}));
    server.subscribe(&json!({"name": "others", "url": sink.url("/others"), "events": ["data.received"]}));
    action(&server, "/webhook/tagoio", 1, r#"[{"id":"a","variable":"t","value":1}]"#);
    until("the first round", || sink.seen().len() == 2);
    let seen = sink.seen();
    let first = seen.iter().find(|seen| seen.path == "/data").unwrap();
    let mark = first.json()[0]["metadata"]["sent"].as_str().unwrap().to_owned();
    assert_eq!(mark, format!("tagohook-message-{}", first.header("X-TagoRUN-Message-Id")));
    // What TagoIO does: the point comes back with an id of its own and its metadata, without our headers.
    let back = json!([{"id": "b", "variable": "echo", "value": 1, "metadata": {"sent": mark}}]).to_string();
    action(&server, "/webhook/tagoio", 1, &back);
    until("the second round", || sink.seen().len() == 3);
    assert_eq!(sink.seen()[2].path, "/others", "only the subscription that sent it is left out");
    action(&server, "/webhook/tagoio", 1, r#"[{"id":"c","variable":"echo","value":1}]"#);
    until("the third round", || sink.seen().len() == 5);
}
