//! The edges of HTTP: what a client can do wrong, slowly, twice, or much too large.

use std::time::{Duration, Instant};

use crate::harness::{Connection, Nginx, Server, Setup, login, signed_request};

#[test]
fn ht_01_long_heads_are_refused_at_once_and_others_are_unaffected() {
    let server = Server::start();
    let head = |target: usize, lines: usize| {
        let lines: String = (0..lines).map(|at| format!("x-{at}: 1\r\n")).collect();
        format!("POST /webhook/tagorun?{} HTTP/1.1\r\nContent-Length: 0\r\n{lines}\r\n", "a".repeat(target))
    };
    for (target, lines) in [(33_000, 1), (130_000, 1), (1_000_000, 1), (1, 95), (1, 96), (1, 97), (1, 1000)] {
        let started = Instant::now();
        let mut connection = Connection::open(server.receiver);
        connection.write(head(target, lines).as_bytes());
        if let Some(answer) = connection.answer() {
            assert!((400..500).contains(&answer.status), "{target} {lines}: {}", answer.status);
        } else {
            assert!(target > 130_000, "no answer to {target} {lines}");
        }
        assert!(started.elapsed() < Duration::from_secs(5), "{target} {lines}");
        assert_eq!(server.ask("GET", "/healthz", &[]).status, 200);
    }
}

#[test]
fn ht_02_ambiguous_requests_are_refused_and_a_pipelined_pair_is_answered_in_order() {
    let server = Server::start();
    let bad = [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: +3",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: nonsense",
        "Content-Length: 3\r\nX-Folded: a\r\n b",
    ];
    for lines in bad {
        let mut connection = Connection::open(server.receiver);
        connection.write(
            format!("POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
                .as_bytes(),
        );
        let answer = connection.answer().unwrap_or_else(|| panic!("no answer to {lines:?}"));
        assert_eq!(answer.status, 400, "{lines:?}");
        assert!(connection.is_closed(), "{lines:?}");
    }
    let mut old = Connection::open(server.receiver);
    old.write(b"POST /webhook/tagorun HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    assert_eq!(old.answer().unwrap().status, 400, "HTTP/1.0 has no chunks");
    assert_eq!(server.deliveries("").len(), 0, "what is no request leaves no row");
    let mut connection = Connection::open(server.receiver);
    connection.write(format!("{}{}", signed_request("one"), signed_request("two")).as_bytes());
    let ids: Vec<_> = (0..2).map(|_| connection.answer().unwrap().json()["event_id"].clone()).collect();
    assert_eq!(ids, ["one", "two"]);
}

#[test]
fn ht_04_js_09_slow_and_endless_bodies_end_at_their_limits_and_others_are_served() {
    let server = Setup::new("[receiver]\nmax_body = \"64 KiB\"\nbody_timeout = \"1s\"\n").start();
    let mut slow: Vec<Connection> = (0..100)
        .map(|_| {
            let mut connection = Connection::open(server.receiver);
            connection.write(b"POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
            connection
        })
        .collect();
    assert_eq!(server.post_signed(login("healthy").as_bytes()).status, 200);
    for connection in &mut slow {
        assert_eq!(connection.answer().unwrap().status, 408);
    }
    assert_eq!(server.deliveries("reason=too_slow").len(), 100);
    let mut huge = Connection::open(server.receiver);
    huge.write(b"POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n");
    huge.write(&vec![b'x'; 70_000]);
    assert_eq!(huge.answer().unwrap().status, 413);
    let mut endless = Connection::open(server.receiver);
    endless.write(b"POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 65_536], b"\r\n"].concat();
    let mut written = 0;
    while written < 1_000 && endless.write(&chunk) {
        written += 1;
    }
    assert_eq!(endless.answer().map_or(413, |answer| answer.status), 413);
    let row = &server.deliveries("reason=too_large")[0];
    assert_eq!(row["size_bytes"], 64 * 1024);
    assert_eq!(server.post_signed(login("healthy again").as_bytes()).status, 200);
}

#[test]
fn a_client_that_leaves_inside_its_body_leaves_a_row() {
    let server = Server::start();
    let mut connection = Connection::open(server.receiver);
    connection.write(b"POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
    std::thread::sleep(Duration::from_millis(100));
    drop(connection);
    let until = Instant::now() + Duration::from_secs(10);
    while server.deliveries("reason=incomplete").is_empty() {
        assert!(Instant::now() < until, "no row: {}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.newest()["body"], "half");
    assert_eq!(server.newest()["body_end"], "broken");
}

#[test]
fn a_request_to_upgrade_is_a_delivery_like_any_other() {
    let server = Server::start();
    let request =
        signed_request("upgraded").replace("Host: x", "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket");
    let mut connection = Connection::open(server.receiver);
    connection.write(request.as_bytes());
    let started = Instant::now();
    assert_eq!(connection.answer().unwrap().word(), "processed");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_client_that_resets_the_connection_leaves_a_row_too() {
    let server = Server::start();
    for (at, rest) in ["", "}"].into_iter().enumerate() {
        let stream = std::net::TcpStream::connect(server.receiver).unwrap();
        let request =
            format!("POST /webhook/tagorun/{at} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{{rest}");
        std::io::Write::write_all(&mut &stream, request.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(if at == 0 { 50 } else { 0 }));
        // With linger 0 the close is a reset.
        let socket = socket2::Socket::from(stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        drop(socket);
        let until = Instant::now() + Duration::from_secs(10);
        while server.deliveries("").len() <= at {
            assert!(Instant::now() < until, "no row for the reset after {rest:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn ht_05_expect_is_answered_at_once_and_an_oversize_body_is_refused_unsent() {
    let server = Setup::new("[receiver]\nmax_body = \"1 KiB\"\n").start();
    let request = signed_request("expecting");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut connection = Connection::open(server.receiver);
    connection.write(format!("{head}\r\nExpect: 100-continue\r\n\r\n").as_bytes());
    assert_eq!(connection.answer().unwrap().status, 100);
    connection.write(body.as_bytes());
    assert_eq!(connection.answer().unwrap().status, 200);
    let mut connection = Connection::open(server.receiver);
    connection.write(
        b"POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nContent-Length: 2048\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(connection.answer().unwrap().status, 413);
    let delivery = server.newest();
    assert_eq!((delivery["reason"].as_str(), delivery["size_bytes"].as_i64()), (Some("too_large"), Some(0)));
}

#[test]
fn ht_07_handshakes_and_probes_are_answered_and_are_no_events() {
    let server = Server::start();
    let options =
        server.ask("OPTIONS", "/webhook/tagorun", &[("WebHook-Request-Origin", "eventemitter.example.com")]);
    assert_eq!(
        (options.status, options.header("WebHook-Allowed-Origin")),
        (204, Some("eventemitter.example.com"))
    );
    assert!(options.header("allow").unwrap().contains("POST"));
    for method in ["GET", "HEAD"] {
        assert_eq!(server.ask(method, "/webhook/tagorun", &[]).status, 200);
    }
    // A source with a handshake answers it; elsewhere it is a GET with data, which only POST delivers.
    let challenged = server.ask("GET", "/webhook/tagorun?challenge=x", &[]);
    assert_eq!((challenged.status, challenged.header("allow").is_some()), (405, true));
    for method in ["PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
        let answer = server.ask(method, "/webhook/tagorun", &[]);
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.header("allow").unwrap().contains("POST"));
    }
    assert!(server.deliveries("").is_empty());
}

#[test]
fn a_person_who_opens_the_receivers_address_reads_a_page_that_names_nothing() {
    let server = Server::start();
    let browser = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    for (path, status) in
        [("/", 404), ("/favicon.txt", 404), ("/webhook/tagorun", 200), ("/webhook/none", 404)]
    {
        let page = server.ask("GET", path, &browser);
        assert_eq!(page.status, status, "{path}");
        assert!(page.header("content-type").unwrap().starts_with("text/html"), "{path}");
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
        let text = String::from_utf8(page.body).unwrap();
        assert!(text.contains("This webhook receiver is reachable") && !text.contains("tagorun"), "{text}");
        let program = server.ask("GET", path, &[]);
        assert_eq!(
            (program.status, program.header("content-type")),
            (status, Some("application/json")),
            "{path}"
        );
    }
    assert!(server.deliveries("").is_empty());
}

#[test]
fn ht_08_liveness_and_readiness_answer_head_too() {
    let server = Server::start();
    for path in ["/healthz", "/readyz"] {
        for method in ["GET", "HEAD"] {
            assert_eq!(server.ask(method, path, &[]).status, 200);
        }
        assert_eq!(server.ask("POST", path, &[]).status, 405);
    }
}

#[test]
fn ht_09_behind_nginx_a_client_sees_our_answer_to_an_oversize_or_unsigned_body() {
    let server = Setup::new("[receiver]\nmax_body = \"1 MiB\"\n").start();
    let location = format!("location / {{ proxy_pass http://{}; }}", server.receiver);
    let nginx = Nginx::start(Nginx::free_address(), &location);
    let seen: Vec<u16> = [5_000_000, 900_000]
        .map(|size| {
            crate::harness::exchange(nginx.address, "POST", "/webhook/tagorun", &[], &vec![b'x'; size]).status
        })
        .to_vec();
    assert_eq!(seen, [413, 401]);
}

#[test]
fn header_lines_are_shown_in_wire_order_as_they_were_spelled_with_repeats() {
    let server = Server::start();
    for _ in 0..2 {
        let mut connection = Connection::open(server.receiver);
        for round in 0..2 {
            connection.write(format!("POST /webhook-test/{round} HTTP/1.1\r\nhOsT: x\r\nZeta: 1\r\nalpha: 2\r\nZeta: 3\r\nContent-Length: 2\r\nX-Empty:\r\n\r\nhi").as_bytes());
            assert_eq!(connection.answer().unwrap().status, 200);
            let headers = server.newest()["headers"].clone();
            let expected = serde_json::json!([
                ["hOsT", "x"],
                ["Zeta", "1"],
                ["alpha", "2"],
                ["Zeta", "3"],
                ["Content-Length", "2"],
                ["X-Empty", ""]
            ]);
            assert_eq!(headers, expected);
        }
    }
}

#[test]
fn the_page_of_any_site_may_send_to_the_test_route_and_to_no_other() {
    let server = Server::start();
    let asks = [
        ("Origin", "https://page.example"),
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "content-type,x-mine"),
    ];
    let preflight = server.ask("OPTIONS", "/webhook-test/a?status=503", &asks);
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("*")));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("PUT"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("content-type,x-mine"));
    assert_eq!(server.deliveries("").len(), 0, "a question whether to send is not sent");
    let headers = [("Origin", "https://page.example"), ("Content-Type", "application/json")];
    for target in ["/webhook-test", "/webhook-test?status=503", "/webhook-test?status=bad"] {
        let sent = server.post(target, &headers, b"{}");
        assert_eq!(sent.header("access-control-allow-origin"), Some("*"), "{target}");
    }
    assert_eq!(server.ask("OPTIONS", "/webhook-test", &[]).status, 200, "without a question it is captured");
    assert_eq!(server.deliveries("").len(), 4);
    for target in ["/webhook/tagorun", "/webhook", "/healthz"] {
        assert_eq!(server.ask("OPTIONS", target, &asks).header("access-control-allow-origin"), None);
        assert_eq!(server.post(target, &headers, b"{}").header("access-control-allow-origin"), None);
    }
}

#[test]
fn the_test_route_takes_anything_and_answers_as_asked() {
    let server = Server::start();
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] {
        assert_eq!(server.ask(method, "/webhook-test/any/thing", &[]).status, 200, "{method}");
    }
    let answer = server.post("/webhook-test", &[], b"\x00\xffnot json");
    assert_eq!(answer.word(), "received");
    assert!(answer.json()["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(server.raw(answer.json()["delivery_id"].as_str().unwrap()), b"\x00\xffnot json");
    assert_eq!(server.post("/webhook-test?status=503", &[], b"x").status, 503);
    assert_eq!(server.post("/webhook-test?status=204", &[], b"x").status, 204);
    assert_eq!(server.post("/webhook-test?fail_rate=1", &[], b"x").status, 500);
    assert_eq!(server.post("/webhook-test?status=199", &[], b"x").status, 400);
    let started = Instant::now();
    assert_eq!(server.post("/webhook-test?delay=300ms", &[], b"x").status, 200);
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(server.post("/webhook-test", &[], b"x").word(), "received");
    assert_eq!(server.deliveries("verdict=captured").len(), 14);
    assert_eq!(server.deliveries("verdict=captured&status=503").len(), 1);
}

#[test]
fn an_unknown_source_is_404_with_a_row_and_other_paths_are_404_without() {
    let server = Server::start();
    assert_eq!(server.post("/webhook/nobody/x", &[], b"{}").status, 404);
    let row = server.deliveries("")[0].clone();
    assert_eq!(
        (row["reason"].as_str(), row["source"].as_str(), row["path"].as_str()),
        (Some("unknown_source"), Some("nobody"), Some("/webhook/nobody/x"))
    );
    assert_eq!(server.post("/elsewhere", &[], b"{}").status, 404);
    assert_eq!(server.ask("GET", "/webhook/nobody", &[]).status, 404);
    assert_eq!(server.deliveries("").len(), 1);
}

#[test]
fn a_flood_of_refusals_is_429_and_a_request_that_passes_never_is() {
    let server = Setup::new("[receiver]\nrefused_rate = \"5/h\"\ncapture_rate = \"3/h\"\n").start();
    let refused: Vec<u16> = (0..8).map(|_| server.post("/webhook/tagorun", &[], b"{}").status).collect();
    assert_eq!(refused, [401, 401, 401, 401, 401, 429, 429, 429]);
    let answer = server.post("/webhook/tagorun", &[], b"{}");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(server.post_signed(login("fine").as_bytes()).status, 200);
    let captured: Vec<u16> = (0..5).map(|_| server.post("/webhook-test", &[], b"{}").status).collect();
    assert_eq!(captured, [200, 200, 200, 429, 429]);
    assert_eq!(server.deliveries("").len(), 5 + 1 + 3);
    let metrics = crate::harness::exchange(server.inspector, "GET", "/metrics", &[], b"");
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains("tagohook_requests_not_kept_total{cause=\"refused_rate\"} 4"), "{text}");
}
