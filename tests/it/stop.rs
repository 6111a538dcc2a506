//! How the program stops: quickly, whatever is open; the receiver last; a second signal at once.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Connection, Reply, Server, Sink, login, signed_request, until};

/// A stop takes a fraction of this; machines that run many tests at once are slow.
const QUICK: Duration = Duration::from_millis(1_500);

fn stream_on(server: &Server) -> Connection {
    let mut stream = Connection::open(server.inspector);
    let host = server.inspector;
    stream.write(format!("GET /api/v1/deliveries/stream HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
    while stream.line().unwrap() != ": connected" {}
    stream
}

/// A signed request that is under way without the end of its body, and that end.
fn begun(server: &Server, id: &str) -> (Connection, String) {
    let request = signed_request(id).replace("Host: x\r\n", "Host: x\r\nExpect: 100-continue\r\n");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let (some, rest) = body.split_at(10);
    let mut connection = Connection::open(server.receiver);
    connection.write(format!("{head}\r\n\r\n").as_bytes());
    assert_eq!(connection.answer().unwrap().status, 100);
    connection.write(some.as_bytes());
    (connection, rest.to_owned())
}

fn stopped_in(mut server: Server) -> Duration {
    let started = Instant::now();
    assert_eq!(server.stop(), Some(0), "{}", server.log());
    started.elapsed()
}

#[test]
fn a_stop_is_quick_whatever_pages_streams_and_tails_are_open() {
    let server = Server::start();
    let host = server.inspector;
    let mut streams: Vec<Connection> = (0..20).map(|_| stream_on(&server)).collect();
    let mut tail = server.command(&["tail"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut waiting = Connection::open(host);
    waiting.write(
        format!("GET /api/v1/wait?event_type=never.comes&timeout=60s HTTP/1.1\r\nHost: {host}\r\n\r\n")
            .as_bytes(),
    );
    let mut idle = Connection::open(server.receiver);
    idle.write(signed_request("idle").as_bytes());
    assert_eq!(idle.answer().unwrap().status, 200);
    let mut page = Connection::open(host);
    page.write(format!("GET /overview HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
    assert_eq!(page.answer_to("GET").unwrap().status, 200);
    let silent = [Connection::open(server.receiver), Connection::open(host)];
    let mut delayed = Connection::open(server.receiver);
    delayed.write(b"POST /webhook-test?delay=60s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    until("what waits for its answer is kept", || server.deliveries("verdict=captured").len() == 1);
    let took = stopped_in(server);
    assert!(took < QUICK, "{took:?}");
    assert_eq!(waiting.answer_to("GET").unwrap().status, 503);
    assert_eq!(delayed.answer().unwrap().word(), "received", "answered early rather than never");
    assert!(idle.is_closed() && page.is_closed());
    for stream in &mut streams {
        let mut last = String::new();
        while let Some(line) = stream.line() {
            last = if line.is_empty() { last } else { line };
        }
        assert_eq!(last, "0", "the stream ended as HTTP has it");
    }
    drop(silent);
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn a_stop_does_not_wait_for_streams_that_nobody_reads() {
    let server = Server::start();
    let streams: Vec<Connection> = (0..10).map(|_| stream_on(&server)).collect();
    // Far more than a socket's buffers hold.
    let long = "x".repeat(8_000);
    let mut sender = Connection::open(server.receiver);
    for _ in 0..1_000 {
        sender.write(format!("GET /webhook-test/{long} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert!(sender.answer().is_some());
    }
    let took = stopped_in(server);
    assert!(took < QUICK, "{took:?}");
    drop(streams);
}

#[test]
fn a_stop_does_not_wait_for_half_a_request_to_the_inspector() {
    let server = Server::start();
    let host = server.inspector;
    let mut half = Connection::open(host);
    half.write(
        format!("POST /api/v1/events HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n")
            .as_bytes(),
    );
    assert_eq!(half.answer().unwrap().status, 100);
    half.write(b"{");
    let took = stopped_in(server);
    assert!(took < QUICK, "{took:?}");
}

#[test]
fn the_receiver_answers_newcomers_until_a_slow_body_has_come() {
    let mut server = Server::start();
    let (mut slow, rest) = begun(&server, "slow");
    let _stream = stream_on(&server);
    server.signal("TERM");
    until("it says what it waits for", || server.log().contains("stopping, waiting for 1 request"));
    for number in 0..20 {
        let answer = server.post_signed(login(&format!("meanwhile-{number}")).as_bytes());
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    }
    slow.write(rest.as_bytes());
    assert_eq!(slow.answer().unwrap().word(), "processed");
    let started = Instant::now();
    assert_eq!(server.wait_for_end(), Some(0));
    assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
    assert!(std::net::TcpStream::connect(server.receiver).is_err());
    let server = server.start_again();
    assert_eq!(server.deliveries("verdict=accepted").len(), 21);
}

#[test]
fn a_body_that_never_ends_is_cut_kept_and_answered() {
    let mut server = Server::start();
    let (mut slow, _) = begun(&server, "endless");
    let started = Instant::now();
    assert_eq!(server.stop(), Some(0));
    let took = started.elapsed();
    assert!(took > Duration::from_secs(3) && took < Duration::from_secs(7), "{took:?}");
    assert_eq!(slow.answer().unwrap().status, 408);
    let server = server.start_again();
    assert_eq!(server.deliveries("reason=too_slow").len(), 1);
}

#[test]
fn a_second_signal_quits_at_once_and_loses_nothing_that_was_acknowledged() {
    let sink = Sink::scripted(|_, _| Reply::Hang);
    let mut server = Server::start();
    server.subscribe(&json!({"url": sink.url("/"), "events": ["user.login"], "name": "hangs"}));
    assert_eq!(server.post_signed(login("kept").as_bytes()).status, 200);
    sink.wait_for(1);
    let (_slow, _) = begun(&server, "endless");
    server.signal("INT");
    until("it says what it waits for", || server.log().contains("(Ctrl-C again to quit now)"));
    let started = Instant::now();
    server.signal("INT");
    assert_eq!(server.wait_for_end(), Some(130));
    assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
    assert!(!server.data_dir().join("addresses.json").exists());
    let server = server.start_again();
    assert_eq!(server.deliveries("verdict=accepted").len(), 1);
    assert_eq!(server.messages("").len(), 1);
}

#[test]
fn whoever_sends_without_a_pause_is_answered_or_refused_never_acknowledged_in_vain() {
    let mut server = Server::start();
    let _stream = stream_on(&server);
    let is_over = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let (address, is_over) = (server.receiver, Arc::clone(&is_over));
            std::thread::spawn(move || {
                let (mut acknowledged, mut number) = (Vec::new(), 0);
                let mut connection = None;
                while !is_over.load(Ordering::SeqCst) {
                    number += 1;
                    let id = format!("{sender}-{number}");
                    let Ok(probe) = std::net::TcpStream::connect(address) else { break };
                    drop(probe);
                    let open = connection.get_or_insert_with(|| Connection::open(address));
                    open.write(signed_request(&id).as_bytes());
                    match open.answer() {
                        Some(answer) if answer.status == 200 => {
                            acknowledged.push(id);
                            if answer.header("connection") == Some("close") {
                                connection = None;
                            }
                        }
                        _ => connection = None,
                    }
                }
                acknowledged
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    let started = Instant::now();
    assert_eq!(server.stop(), Some(0));
    assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
    is_over.store(true, Ordering::SeqCst);
    let acknowledged: Vec<String> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
    let server = server.start_again();
    let rows = server.all_deliveries("verdict=accepted");
    let kept: std::collections::HashSet<&str> =
        rows.iter().filter_map(|row| row["event_id"].as_str()).collect();
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    for id in &acknowledged {
        assert!(kept.contains(id.as_str()), "{id}");
    }
}
