//! What an attack on the receiver found: bodies without an end, streams that are none, names that made the server panic.

use std::time::{Duration, Instant};

use crate::harness::{Connection, Server, Setup, login, signed_request};

/// The signed request for `id` with more header lines.
fn with_lines(id: &str, lines: &str) -> String {
    signed_request(id).replace("Host: x\r\n", &format!("Host: x\r\n{lines}"))
}

/// The same in chunks.
fn chunked(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head: Vec<&str> = head.split("\r\n").filter(|line| !line.starts_with("Content-Length")).collect();
    format!(
        "{}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        head.join("\r\n"),
        body.len()
    )
}

#[test]
fn whatever_a_request_wants_to_become_its_body_ends_where_it_says() {
    let server = Server::start();
    let wishes = [
        "Upgrade: websocket\r\n",
        "Upgrade: WebSocket\r\nConnection: close\r\n",
        "Upgrade: websocket\r\nConnection: keep-alive\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\n",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQ\r\n",
        "Connection: Upgrade\r\n",
    ];
    for (at, wish) in wishes.into_iter().enumerate() {
        let plain = with_lines(&format!("plain-{at}"), wish);
        let in_chunks = chunked(&with_lines(&format!("chunked-{at}"), wish));
        for request in [plain.clone(), in_chunks, format!("{plain}EXTRA")] {
            let started = Instant::now();
            let mut connection = Connection::open(server.receiver);
            connection.write(request.as_bytes());
            let answer = connection.answer().unwrap();
            assert_eq!(answer.status, 200, "{request}");
            assert!(started.elapsed() < Duration::from_secs(5), "{request}");
            let body = request.split_once("\r\n\r\n").unwrap().1;
            let body = body.lines().find(|line| line.starts_with('{')).unwrap().trim_end_matches("EXTRA");
            assert_eq!(server.newest()["body"], body, "{request}");
        }
    }
}

#[test]
fn the_test_route_answers_connect_and_websockets_at_once() {
    let server = Server::start();
    for request in [
        "CONNECT /webhook-test/c HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /webhook-test/w HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        "GET /webhook-test/w HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ] {
        let started = Instant::now();
        let mut connection = Connection::open(server.receiver);
        connection.write(request.as_bytes());
        assert_eq!(connection.answer().unwrap().word(), "received", "{request}");
        assert!(started.elapsed() < Duration::from_secs(5), "{request}");
        assert_eq!(server.newest()["size_bytes"], 0);
    }
    assert_eq!(server.deliveries("verdict=captured").len(), 3);
}

#[test]
fn a_body_in_chunks_that_never_ends_does_not_keep_its_connection() {
    let server =
        Setup::new("[receiver]\nbody_timeout = \"1s\"\nmax_body = \"1 KiB\"\ncapture_rate = \"1/h\"\n")
            .start();
    let long = format!("800\r\n{}\r\n", "x".repeat(0x800));
    for (request, piece, status) in [
        ("POST /webhook/tagorun", "5\r\nhello\r\n", 408),
        ("POST /webhook/tagorun", "ffffff\r\nx", 408),
        ("POST /webhook/tagorun", long.as_str(), 413),
        ("POST /webhook-test", "5\r\nhello\r\n", 408),
        ("POST /webhook-test", "5\r\nhello\r\n", 429),
        ("GET /webhook/tagorun", "5\r\nhello\r\n", 405),
        ("PUT /webhook/tagorun", "5\r\nhello\r\n", 405),
        ("POST /elsewhere", "5\r\nhello\r\n", 404),
        ("GET /healthz", "5\r\nhello\r\n", 200),
    ] {
        let mut connection = Connection::open(server.receiver);
        let head = format!("{request} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        connection.write(format!("{head}{piece}").as_bytes());
        let answer = connection.answer().unwrap();
        assert_eq!(
            (answer.status, answer.header("connection")),
            (status, Some("close")),
            "{request} {status}"
        );
        assert!(connection.is_closed(), "{request} {status}");
    }
    let mut connection = Connection::open(server.receiver);
    for id in ["one", "two"] {
        connection.write(chunked(&signed_request(id)).as_bytes());
        assert_eq!(connection.answer().unwrap().word(), "processed", "a body that ends keeps its connection");
    }
}

#[test]
fn ht_01_a_header_name_longer_than_the_server_bears_ends_its_connection_only() {
    let server = Server::start();
    for (length, is_borne) in [(65_535, true), (65_536, false), (120_000, false)] {
        let mut connection = Connection::open(server.receiver);
        let name = "n".repeat(length);
        connection.write(
            format!("POST /webhook-test HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n{name}: 1\r\n\r\n")
                .as_bytes(),
        );
        assert_eq!(connection.answer().unwrap().status, if is_borne { 200 } else { 431 }, "{length}");
        assert!(is_borne || connection.is_closed());
    }
    assert_eq!(server.post_signed(login("after").as_bytes()).status, 200);
    assert_eq!(server.deliveries("").len(), 2);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn what_is_no_request_writes_no_error_to_the_log() {
    let server = Server::start();
    for garbage in ["\x16\x03\x01\x02\x00", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "POST /ü HTTP/1.1\r\n\r\n"] {
        let mut connection = Connection::open(server.receiver);
        connection.write(garbage.as_bytes());
        assert_eq!(connection.answer().unwrap().status, 400, "{garbage:?}");
    }
    assert_eq!(server.post_signed(login("after").as_bytes()).status, 200);
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

#[test]
fn header_lines_keep_their_order_however_the_target_is_written() {
    let server = Server::start();
    for target in
        ["http://u:p@host:1/webhook-test/a?b=1", "HTTP://host/webhook-test/a?b=1", "/webhook-test/a?b=1#c"]
    {
        let mut connection = Connection::open(server.receiver);
        connection.write(
            format!("POST {target} HTTP/1.1\r\nZeta: 1\r\nhOsT: x\r\nAlpha: 2\r\nContent-Length: 0\r\n\r\n")
                .as_bytes(),
        );
        assert_eq!(connection.answer().unwrap().status, 200, "{target}");
        let delivery = server.newest();
        assert_eq!(delivery["path"], "/webhook-test/a?b=1");
        let expected =
            serde_json::json!([["Zeta", "1"], ["hOsT", "x"], ["Alpha", "2"], ["Content-Length", "0"]]);
        assert_eq!(delivery["headers"], expected, "{target}");
    }
}

#[test]
fn large_bodies_that_never_end_hold_up_no_small_ones() {
    let server = Setup::new("[receiver]\nmax_body = \"1 MiB\"\nmax_buffered = \"1 MiB\"\n").start();
    let large = || server.post("/webhook/tagorun", &[], &vec![b'x'; 200_000]).status;
    let until = Instant::now() + Duration::from_secs(10);
    // Two large bodies that are read at once may refuse each other; then the one that stalls comes again.
    loop {
        let mut stalled = Connection::open(server.receiver);
        stalled.write(b"POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n");
        stalled.write(&vec![b'x'; 1_048_575]);
        let is_full = large() == 503;
        assert_eq!(server.post_signed(login("small").as_bytes()).status, 200);
        stalled.write(b"x");
        if is_full && stalled.answer().is_some_and(|answer| answer.status == 401) {
            break;
        }
        assert!(Instant::now() < until, "the memory for bodies is never used up");
    }
    assert_eq!(large(), 401);
}

#[test]
fn a_client_that_waits_or_stalls_holds_up_a_stop_for_less_than_a_supervisor_has_patience() {
    let mut server = Server::start();
    let mut waiting = Connection::open(server.receiver);
    waiting.write(b"POST /webhook-test?delay=60s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    let mut stalled = Connection::open(server.receiver);
    stalled.write(b"POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{");
    let until = Instant::now() + Duration::from_secs(10);
    while server.deliveries("verdict=captured").is_empty() {
        assert!(Instant::now() < until, "what waits for its answer is kept already");
    }
    let started = Instant::now();
    assert_eq!(server.stop(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn the_inspector_bears_endless_names_and_bodies_too() {
    let server = Server::start();
    let host = server.inspector;
    let name = "n".repeat(66_000);
    let mut connection = Connection::open(host);
    connection.write(format!("GET / HTTP/1.1\r\nHost: {host}\r\n{name}: 1\r\n\r\n").as_bytes());
    assert_eq!(connection.answer().unwrap().status, 431);
    assert!(connection.is_closed());
    for (request, status) in [
        ("GET /", 200),
        ("GET /api/v1/deliveries", 200),
        ("GET /nothing", 404),
        ("POST /api/v1/deliveries", 405),
    ] {
        let mut connection = Connection::open(host);
        let head = format!(
            "{request} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        connection.write(format!("{head}2\r\n{{}}\r\n").as_bytes());
        assert_eq!(connection.answer().unwrap().status, status, "{request}");
        assert!(connection.is_closed(), "{request}");
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
