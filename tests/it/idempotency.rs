//! One event is taken once.

use std::collections::HashMap;
use std::sync::{Arc, Barrier};

use serde_json::Value;

use crate::harness::{Connection, SECRET, Server, Setup, hmac_hex, login};

fn send(server: &Server, id_json: &str, more: &str) -> (u16, String) {
    let id = if id_json.is_empty() { String::new() } else { format!("\"id\":{id_json},") };
    let body = format!(r#"{{{id}"event":"made.up","more":"{more}"}}"#);
    let answer = server.post_signed(body.as_bytes());
    (answer.status, answer.word())
}

#[test]
fn id_01_id_10_a_repeat_is_answered_200_and_shown_as_a_row_of_its_own() {
    let server = Server::start();
    let body = login("evt_1");
    let first = server.post_signed(body.as_bytes());
    let second = server.post_signed(body.as_bytes());
    assert_eq!((first.word().as_str(), second.word().as_str()), ("processed", "already_processed"));
    assert_eq!((first.status, second.status), (200, 200));
    let rows = server.deliveries("event_id=evt_1");
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (rows[0]["verdict"].as_str(), rows[1]["verdict"].as_str()),
        (Some("duplicate"), Some("accepted"))
    );
    assert_eq!(rows[0]["duplicate_of"], rows[1]["id"]);
    assert_eq!(second.json()["first_received_at"], rows[1]["received_at"]);
    let seen = server.newest()["checks"][6]["seen"].as_str().unwrap().to_owned();
    assert!(seen.contains(rows[1]["id"].as_str().unwrap()), "{seen}");
}

#[test]
fn id_02_of_fifty_that_come_at_once_exactly_one_is_processed() {
    const CONNECTIONS: usize = 50;
    const IDS: usize = 200;
    let server = Server::start();
    let barrier = Arc::new(Barrier::new(CONNECTIONS));
    let address = server.receiver;
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            std::thread::spawn(move || {
                let mut connection = Connection::open(address);
                let mut answers = Vec::new();
                for at in 0..IDS {
                    let body = login(&format!("race_{at}"));
                    let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
                    let request = format!(
                        "POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nX-TagoRUN-Signature: {hex}\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    barrier.wait();
                    connection.write(request.as_bytes());
                    let answer = connection.answer().unwrap();
                    answers.push((at, answer.status, answer.word()));
                }
                answers
            })
        })
        .collect();
    let mut processed: HashMap<usize, usize> = HashMap::new();
    for thread in threads {
        for (at, status, word) in thread.join().unwrap() {
            assert_eq!(status, 200);
            match word.as_str() {
                "processed" => *processed.entry(at).or_default() += 1,
                word => assert_eq!(word, "already_processed"),
            }
        }
    }
    assert_eq!(processed.len(), IDS);
    assert!(processed.values().all(|count| *count == 1), "{processed:?}");
    assert_eq!(server.all_deliveries("verdict=duplicate").len(), (CONNECTIONS - 1) * IDS);
}

#[test]
fn id_06_s_03_events_without_an_id_are_never_taken_for_one_another() {
    let server = Server::start();
    for (at, id) in ["", "null", "\"\"", "", "null"].into_iter().enumerate() {
        assert_eq!(send(&server, id, &at.to_string()), (200, "processed".to_owned()), "{id}");
    }
    assert_eq!(send(&server, "", "0"), (200, "processed".to_owned()), "the same bytes again");
    assert_eq!(server.newest()["event_id"], Value::Null);
    for blanks in ["\" \"", "\"\\t\""] {
        assert_eq!(send(&server, blanks, "x").0, 400);
        assert_eq!(server.newest()["reason"], "invalid_id");
    }
}

#[test]
fn id_08_ids_up_to_256_bytes_are_taken_and_never_cut() {
    let server = Server::start();
    let quoted = |length: usize, end: &str| format!("\"{}{end}\"", "x".repeat(length - end.len()));
    assert_eq!(send(&server, &quoted(255, ""), "").1, "processed");
    assert_eq!(send(&server, &quoted(256, "a"), "").1, "processed");
    assert_eq!(send(&server, &quoted(256, "b"), "").1, "processed");
    assert_eq!(send(&server, &quoted(256, "a"), "").1, "already_processed");
    for length in [257, 65_536] {
        assert_eq!(send(&server, &quoted(length, ""), "").0, 400, "{length}");
    }
}

#[test]
fn id_09_s_04_an_integer_is_its_digits_also_after_a_restart() {
    let server = Server::start();
    assert_eq!(send(&server, "42", "").1, "processed");
    assert_eq!(send(&server, "42.0", "").0, 400);
    assert_eq!(send(&server, "1e2", "").0, 400);
    assert_eq!(send(&server, "\"042\"", "").1, "processed");
    let big = "123456789012345678901234567890";
    assert_eq!(send(&server, big, "").1, "processed");
    assert_eq!(server.newest()["event_id"], big);
    // The same id in another spelling is another body.
    assert_eq!(send(&server, "\"42\"", "").0, 409);
    let server = server.stop_and_restart(None);
    assert_eq!(send(&server, "42", "").1, "already_processed");
    assert_eq!(send(&server, big, "").1, "already_processed");
}

#[test]
fn the_same_id_with_another_body_is_a_conflict_and_both_are_kept() {
    let server = Server::start();
    assert_eq!(send(&server, "\"c\"", "one").1, "processed");
    let answer = server.post_signed(br#"{"id":"c","event":"made.up","more":"two"}"#);
    assert_eq!((answer.status, answer.json()["error"].as_str()), (409, Some("Conflict")));
    let rows = server.deliveries("event_id=c");
    assert_eq!((rows.len(), rows[0]["reason"].as_str()), (2, Some("id_conflict")));
    assert_eq!(rows[0]["duplicate_of"], rows[1]["id"]);
    let check = &server.newest()["checks"][6];
    assert_eq!((check["outcome"].as_str(), check["reason"].as_str()), (Some("fail"), Some("id_conflict")));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while !server.log().contains("another body") {
        assert!(std::time::Instant::now() < until, "the conflict is not logged");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(send(&server, "\"c\"", "one").1, "already_processed");
}

#[test]
fn an_id_belongs_to_its_source_and_only_a_passed_delivery_claims_it() {
    let config = "[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\n\
                  [[source]]\nname = \"other\"\nsignature = \"none\"\n";
    let server = Setup::new(config).start();
    let body = login("shared");
    assert_eq!(
        server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", "00")], body.as_bytes()).status,
        401
    );
    assert_eq!(server.post_signed(body.as_bytes()).word(), "processed");
    assert_eq!(server.post("/webhook/other", &[], body.as_bytes()).word(), "processed");
    assert_eq!(server.post("/webhook/other", &[], body.as_bytes()).word(), "already_processed");
}

#[test]
fn id_13_the_place_of_the_id_is_configurable_and_a_wrong_one_is_reported() {
    let config = "[[source]]\nname = \"s\"\nsignature = \"none\"\nid_pointer = \"/data/id\"\n";
    let server = Setup::new(config).start();
    let post = |body: &str| server.post("/webhook/s", &[], body.as_bytes()).word();
    let body = r#"{"event":"made.up","id":"other","data":{"id":"d1"}}"#;
    assert_eq!((post(body).as_str(), post(body).as_str()), ("processed", "already_processed"));
    assert_eq!(server.newest()["event_id"], "d1");
    assert_eq!(post(r#"{"event":"made.up","id":"not here"}"#), "processed");
    let check = server.newest()["checks"][6].clone();
    assert!(check["seen"].as_str().unwrap().contains("/data/id"), "{check}");
    assert_eq!(check["outcome"], "skipped");
}

#[test]
fn on_a_source_without_signature_the_id_may_stand_in_a_header() {
    let server = Setup::new("[[source]]\nname = \"s\"\nsignature = \"none\"\n").start();
    let body = br#"{"event":"made.up"}"#;
    let post = |name: &str, id: &str| server.post("/webhook/s", &[(name, id)], body).word();
    assert_eq!(post("webhook-id", "h1"), "processed");
    assert_eq!(post("webhook-id", "h1"), "already_processed");
    assert_eq!(post("X-TagoRUN-Event-Id", "h2"), "processed");
    assert_eq!(server.newest()["event_id"], "h2");
    let both = [("webhook-id", ""), ("X-TagoRUN-Event-Id", "h2")];
    assert_eq!(server.post("/webhook/s", &both, body).word(), "already_processed", "an empty line is no id");
    assert_eq!(server.post("/webhook/s", &[("webhook-id", &"x".repeat(257))], body).status, 400);
}

#[test]
fn bodies_are_compared_within_a_window_where_that_is_switched_on() {
    let server =
        Setup::new("[[source]]\nname = \"s\"\nsignature = \"none\"\ndedupe_by_body = \"2s\"\n").start();
    let post = || server.post("/webhook/s", &[], br#"{"event":"made.up"}"#).word();
    assert_eq!((post().as_str(), post().as_str()), ("processed", "already_processed"));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while post() != "processed" {
        assert!(std::time::Instant::now() < until, "the window never ends");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn a_github_delivery_id_alone_neither_makes_a_duplicate_nor_hides_one() {
    let config = "[[source]]\nname = \"g\"\nsecrets = [\"file:signing-secret\"]\nsignature = \"github\"\n";
    let server = Setup::new(config).start();
    let post = |id: &str, body: &[u8]| {
        let signature = format!("sha256={}", hmac_hex(SECRET.as_bytes(), body));
        let headers = [
            ("X-Hub-Signature-256", signature.as_str()),
            ("X-GitHub-Event", "push"),
            ("X-GitHub-Delivery", id),
        ];
        server.post("/webhook/g", &headers, body).word()
    };
    assert_eq!(post("one", b"{\"a\":1}"), "processed");
    assert_eq!(post("one", b"{\"a\":2}"), "processed");
    assert_eq!(post("two", b"{\"a\":1}"), "already_processed");
}
