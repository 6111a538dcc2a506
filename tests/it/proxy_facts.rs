//! What proxies in front rely on: early answers that arrive, answers that are never cached, and HTTP/1.0.

use crate::harness::{Connection, SECRET, Server, hmac_hex, login};

#[test]
fn proxies_p2_a_413_arrives_although_the_body_is_sent_without_being_asked_for() {
    let server = Server::start();
    for reads_first in [true, false] {
        let mut connection = Connection::open(server.receiver);
        connection.write(
            b"POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n",
        );
        let early = reads_first.then(|| connection.answer().unwrap());
        let piece = [b'x'; 50_000];
        for sent in 0..100 {
            assert!(connection.write(&piece), "{} bytes were taken, and no more", sent * piece.len());
        }
        let answer = early.unwrap_or_else(|| connection.answer().unwrap());
        assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(connection.is_closed(), "what comes next is not taken for a request");
    }
    let rows = server.deliveries("verdict=rejected");
    assert_eq!(rows.iter().map(|row| row["reason"].as_str().unwrap()).collect::<Vec<_>>(), ["too_large"; 2]);
}

#[test]
fn proxies_p2_a_client_that_waits_to_be_asked_has_its_413_at_once() {
    let server = Server::start();
    let started = std::time::Instant::now();
    let mut connection = Connection::open(server.receiver);
    connection.write(
        b"POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n",
    );
    assert_eq!(connection.answer().unwrap().status, 413);
    assert!(started.elapsed() < std::time::Duration::from_secs(3), "not after the time to read on");
}

#[test]
fn proxies_p3_no_answer_of_the_receiver_may_be_cached() {
    let server = Server::start();
    let body = login("e");
    let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let signed = [("X-TagoRUN-Signature", hex.as_str())];
    for (method, target, status) in [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("HEAD", "/readyz", 200),
        ("POST", "/readyz", 405),
        ("GET", "/webhook/tagorun", 200),
        ("GET", "/webhook/nobody", 404),
        ("DELETE", "/webhook/tagorun", 405),
        ("OPTIONS", "/webhook/tagorun", 204),
        ("GET", "/webhook-test/x", 200),
        ("OPTIONS", "/webhook-test/x", 200),
        ("GET", "/nowhere", 404),
        ("POST", "/webhook/nobody", 404),
        ("POST", "/webhook/tagorun", 401),
    ] {
        let answer = server.ask(method, target, &[]);
        assert_eq!(answer.status, status, "{method} {target}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{method} {target}");
    }
    for word in ["processed", "already_processed"] {
        let answer = server.post("/webhook/tagorun", &signed, body.as_bytes());
        assert_eq!((answer.word().as_str(), answer.header("cache-control")), (word, Some("no-store")));
    }
    for head in
        ["nonsense\r\n\r\n", "GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET /\u{fc} HTTP/1.1\r\n\r\n"]
    {
        let mut connection = Connection::open(server.receiver);
        connection.write(head.as_bytes());
        let answer = connection.answer().unwrap();
        assert_eq!((answer.status, answer.header("cache-control")), (400, Some("no-store")), "{head}");
    }
    let mut preflight = Connection::open(server.receiver);
    preflight.write(
        b"OPTIONS /webhook-test HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Method: POST\r\n\r\n",
    );
    assert_eq!(preflight.answer().unwrap().header("cache-control"), Some("no-store"));
}

#[test]
fn proxies_p11_to_http_1_0_a_stream_has_no_chunks_and_ends_with_its_connection() {
    let server = Server::start();
    server.post_signed(login("before").as_bytes());
    let mut stream = Connection::open(server.inspector);
    stream.write(b"GET /api/v1/deliveries/stream HTTP/1.0\r\nHost: localhost\r\n\r\n");
    let mut head = Vec::new();
    loop {
        let line = stream.line().unwrap().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    assert!(head[0].contains(" 200 "), "{head:?}");
    assert!(!head.iter().any(|line| line.starts_with("transfer-encoding")), "{head:?}");
    assert!(head.contains(&"x-accel-buffering: no".to_owned()), "{head:?}");
    assert_eq!(stream.line().unwrap(), ": connected", "no chunk's length comes first");
    server.post_signed(login("live").as_bytes());
    while !stream.line().unwrap().contains("live") {}
    drop(stream);

    let mut export = Connection::open(server.inspector);
    export.write(b"GET /api/v1/deliveries/export?as=jsonl HTTP/1.0\r\nHost: localhost\r\n\r\n");
    while !export.line().unwrap().is_empty() {}
    let mut lines = Vec::new();
    while let Some(line) = export.line() {
        lines.push(line);
    }
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line.starts_with('{') && line.ends_with('}')), "{lines:?}");
}
