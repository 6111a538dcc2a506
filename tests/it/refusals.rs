//! What reached a port and left no delivery: answered with a reason, counted by its cause, listed with its first line.

use serde_json::{Value, json};

use crate::harness::{
    Answer, Connection, SECRET, Server, Setup, exchange, hmac_hex, login, signed_request, until,
};

fn raw(address: std::net::SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut connection = Connection::open(address);
    connection.write(request.as_ref());
    let answer = connection.answer().unwrap();
    assert!(connection.is_closed());
    answer
}

/// A POST of a JSON body with that target and those further lines.
fn post(target: &str, lines: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{lines}Content-Length: 13\r\n\r\n{{\"body\":true}}"
    )
}

fn listed(server: &Server) -> Vec<Value> {
    server.api("refusals?limit=500")["refusals"].as_array().unwrap().clone()
}

fn metrics(server: &Server) -> String {
    String::from_utf8(exchange(server.inspector, "GET", "/metrics", &[], b"").body).unwrap()
}

#[test]
fn a_head_that_is_not_http_is_answered_with_the_reason_and_listed() {
    let server = Server::start();
    let many: String = (0..100).map(|at| format!("x-{at}: 1\r\n")).collect();
    let cases = [
        (post("/webhook/tagorun?room=Küche", ""), 400, "bad_target", "“ü” must be percent-encoded: %C3%BC."),
        (post("/webhook/tagorun?q=\"a\"", ""), 400, "bad_target", "%22."),
        (post("/webhook/tagorun?q=<a>", ""), 400, "bad_target", "%3C."),
        (post("/webhook/my source", ""), 400, "bad_target", "%20."),
        (post("/webhook/tagorun", "X Y: 1\r\n"), 400, "bad_header", "line 3 has a blank"),
        (post("/webhook/tagorun", &many), 431, "head_too_large", "more than 96 header lines"),
        (
            post("/webhook/tagorun", &format!("X: {}\r\n", "a".repeat(140_000))),
            431,
            "head_too_large",
            "128 KiB",
        ),
        (post(&format!("/webhook/tagorun?{}", "a".repeat(70_000)), ""), 400, "head_too_large", "64 KiB"),
        (
            "POST /webhook/tagorun HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_owned(),
            400,
            "bad_header",
            "Host header is missing",
        ),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(), 400, "not_http", "The client speaks HTTPS"),
        (
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nPOST / HTTP/1.1\r\n\r\n".to_owned(),
            400,
            "not_http",
            "PROXY protocol",
        ),
    ];
    for (request, status, cause, part) in &cases {
        let answer = raw(server.receiver, request);
        let told = answer.json()["details"][0]["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!(answer.status, *status, "{cause} {part} {told}");
        assert!(told.contains(part), "{told}");
        let newest = listed(&server)[0].clone();
        assert_eq!((&newest["cause"], &newest["status"]), (&json!(cause), &json!(status)), "{newest}");
        assert_eq!((&newest["detail"], &newest["client"]), (&json!(told), &json!("127.0.0.1")), "{newest}");
        assert_eq!(
            (&newest["port"], newest["likely"].as_bool()),
            // TLS may be any stranger's; the PROXY protocol is that of one's own proxy.
            (&json!("receiver"), Some(*cause != "not_http" || *part == "PROXY protocol"))
        );
        assert!(newest["line"].as_str().unwrap().len() < 1_000);
    }
    let all = server.api_raw("refusals?limit=500");
    let text = String::from_utf8(all.body).unwrap();
    assert!(!text.contains("body\\\":true") && text.contains("POST /webhook/tagorun?room=Küche"), "{text}");
    let metrics = metrics(&server);
    for line in [
        "tagohook_requests_not_kept_total{cause=\"bad_target\"} 4",
        "tagohook_requests_not_kept_total{cause=\"bad_header\"} 2",
        "tagohook_requests_not_kept_total{cause=\"head_too_large\"} 3",
        "tagohook_requests_not_kept_total{cause=\"not_http\"} 2",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert_eq!(server.deliveries("").len(), 0);
    assert_eq!(server.post_signed(login("after").as_bytes()).status, 200);
}

#[test]
fn a_request_behind_a_good_one_on_the_same_connection_is_refused_by_itself() {
    let server = Server::start();
    for is_together in [true, false] {
        let mut connection = Connection::open(server.receiver);
        let bad = post("/webhook/tagorun?room=Küche&token=secret-value-123", "");
        if is_together {
            connection.write(format!("{}{bad}", signed_request("one")).as_bytes());
        } else {
            connection.write(signed_request("two").as_bytes());
        }
        assert_eq!(connection.answer().unwrap().word(), "processed");
        if !is_together {
            connection.write(bad.as_bytes());
        }
        let answer = connection.answer().unwrap();
        assert_eq!(answer.status, 400);
        assert!(connection.is_closed());
    }
    let newest = &listed(&server)[0];
    assert_eq!(newest["line"], "POST /webhook/tagorun?room=Küche&token=***");
    assert!(!server.api("refusals").to_string().contains("secret-value"));
    assert_eq!(server.deliveries("").len(), 2);
}

#[test]
fn malformed_chunks_are_answered_and_leave_a_row() {
    let server = Server::start();
    for (target, lines) in [("/webhook/tagorun", ""), ("/webhook-test", "")] {
        let head = format!("POST {target} HTTP/1.1\r\nHost: x\r\n{lines}Transfer-Encoding: chunked\r\n\r\n");
        for body in ["nonsense\r\n", "5\r\nhello\r\nzz\r\n", "ffffffffffffffffff\r\n"] {
            let answer = raw(server.receiver, format!("{head}{body}"));
            assert_eq!(answer.status, 400, "{target} {body}");
            assert_eq!(answer.json()["details"][0]["message"], "The chunks of the body are malformed.");
        }
    }
    until("a row for each", || server.deliveries("reason=incomplete").len() == 6);
    assert!(metrics(&server).contains("tagohook_requests_not_kept_total{cause=\"bad_chunk\"}"));
}

#[test]
fn slips_of_a_sender_are_named_where_attention_is_asked_for_with_their_cure() {
    let server = Setup::new("[receiver]\nrefused_rate = \"1/h\"\ncapture_rate = \"1/h\"\n").start();
    let json = [("Content-Type", "application/json")];
    for number in 0..12 {
        let answer = server.post(&format!("/webhok/tagorun?n={number}&key=abc"), &json, b"{}");
        assert_eq!(answer.status, 404);
    }
    let signature = hmac_hex(SECRET.as_bytes(), b"{}");
    assert_eq!(
        exchange(server.receiver, "PUT", "/webhook/tagorun", &[("X-TagoRUN-Signature", &signature)], b"{}")
            .status,
        405
    );
    assert_eq!(exchange(server.receiver, "GET", "/webhook/tagorun", &json, b"{}").status, 405);
    for _ in 0..3 {
        server.post("/webhook/tagorun", &json, b"{}");
        server.post("/webhook-test", &json, b"{}");
    }
    // Probes and what strangers try are counted and listed, and ask for nobody's attention.
    server.ask("GET", "/webhook/tagorun", &[]);
    server.ask("GET", "/wp-login.php", &[]);
    let told = server.api("overview")["attention"].to_string();
    for sentence in [
        "12 requests were refused before becoming a delivery: unknown path. Latest: POST /webhok/tagorun. The route is /webhook/tagorun.",
        "1 request was refused before becoming a delivery: wrong method. Latest: GET /webhook/tagorun. This GET carries a body, but only",
        "1 request was refused before becoming a delivery: wrong method. Latest: PUT /webhook/tagorun. Only POST delivers an event",
        "2 requests were refused before becoming a delivery: rate limit. Latest: POST /webhook/tagorun. The client sent more than [receiver] refused_rate",
        "2 requests were refused before becoming a delivery: rate limit. Latest: POST /webhook-test. The client sent more than [receiver] capture_rate",
    ] {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    assert!(!told.contains("wp-login"), "{told}");
    let all = listed(&server);
    let slip = all.iter().find(|one| one["line"].as_str().unwrap().contains("webhok")).unwrap();
    assert_eq!((&slip["count"], &slip["line"]), (&json!(12), &json!("POST /webhok/tagorun?n=11&key=***")));
    assert!(all.iter().any(|one| one["line"] == "GET /wp-login.php" && one["likely"] == false), "{all:?}");
    let text = metrics(&server);
    for line in [
        "cause=\"path\"} 13",
        "cause=\"method\"} 3",
        "cause=\"refused_rate\"} 2",
        "cause=\"capture_rate\"} 2",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let page = String::from_utf8(exchange(server.inspector, "GET", "/refusals", &[], b"").body).unwrap();
    assert!(page.contains("The route is /webhook/tagorun.") && page.contains("probably a sender"), "{page}");
    let first = server.api("refusals?limit=1");
    let next = first["next"].as_str().unwrap();
    let second = server.api(&format!("refusals?limit=1&before={next}"));
    assert_ne!(first["refusals"][0]["id"], second["refusals"][0]["id"]);
    assert_eq!(server.api_raw("refusals?limit=0").status, 400);
}

#[test]
fn a_method_in_lower_case_and_an_unknown_source_have_cures_of_their_own() {
    let server = Server::start();
    for (line, status, part) in [
        ("post /webhook/tagorun", 405, "write POST in capitals"),
        ("PUT /webhook/tagorun", 405, "set the sender's method to POST"),
        (
            "PUT /webhook/nosuch",
            404,
            "no source of this name. The routes are /webhook/tagorun, /webhook/tagoio and",
        ),
        ("POST /elsewhere", 404, "The routes are /webhook/tagorun, /webhook/tagoio and /webhook-test."),
    ] {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        );
        assert_eq!(raw(server.receiver, request).status, status, "{line}");
        let newest = listed(&server)[0].clone();
        assert!(newest["detail"].as_str().unwrap().contains(part), "{line}: {newest}");
    }
}

#[test]
fn a_doubled_slash_and_one_at_the_end_are_read_as_meant_and_kept_as_sent() {
    let server = Server::start();
    for (number, target) in
        ["//webhook/tagorun", "/webhook/tagorun/", "/webhook//tagorun", "///webhook/tagorun//a?b=//"]
            .into_iter()
            .enumerate()
    {
        let request = signed_request(&number.to_string()).replace("/webhook/tagorun", target);
        let mut connection = Connection::open(server.receiver);
        connection.write(request.as_bytes());
        assert_eq!(connection.answer().unwrap().word(), "processed", "{target}");
        assert_eq!(
            (&server.newest()["path"], &server.newest()["source"]),
            (&json!(target), &json!("tagorun"))
        );
    }
    assert_eq!(server.post("/webhook-test//", &[], b"x").word(), "received");
    assert_eq!(server.ask("GET", "//readyz/", &[]).status, 200);
}

#[test]
fn the_inspector_says_what_it_cannot_read_and_knows_a_sender_at_the_wrong_port() {
    let server = Server::start();
    let host = server.inspector;
    let answer = raw(host, format!("GET /?q=size>100 HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/problem+json")));
    assert!(answer.json()["detail"].as_str().unwrap().ends_with("%3E."), "{}", answer.json());
    exchange(host, "POST", "/webhook/tagorun", &[("Content-Type", "application/json")], b"{}");
    let all = listed(&server);
    assert_eq!((&all[0]["port"], &all[0]["line"]), (&json!("inspector"), &json!("POST /webhook/tagorun")));
    let told = server.api("overview")["attention"].to_string();
    let sentence = format!("This is the inspector's port; the receiver is at http://{}.", server.receiver);
    assert!(told.contains(&sentence), "{told}");
    assert_eq!((&all[1]["cause"], &all[1]["likely"]), (&json!("bad_target"), &json!(false)));
    assert!(metrics(&server).contains("tagohook_inspector_requests_not_read_total{cause=\"bad_target\"} 1"));
}
