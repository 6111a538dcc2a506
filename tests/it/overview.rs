//! What came in over time, as the receiver counted it, and what needs attention first.

use serde_json::json;

use crate::harness::{Server, Sink, exchange, login, until};

#[test]
fn an_overview_counts_what_came_in_and_names_what_needs_attention() {
    let server = Server::start();
    server.post_signed(login("evt_1").as_bytes());
    server.post_signed(login("evt_1").as_bytes());
    for n in 0..6 {
        server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", "bad")], format!("{n}").as_bytes());
    }
    server.post("/webhook-test", &[], b"x");
    server.post("/webhook/nobody", &[], b"x");
    let sink = Sink::scripted(|_, _| crate::harness::Reply::Status(410));
    server.subscribe(&json!({"url": sink.url("/"), "events": ["user.login"], "name": "gone", "retry_policy": {"max_attempts": 1}}));
    server.publish(&json!({"event": "user.login", "user": {"id": "u1", "email": "a@example.com"}}));
    until("a dead letter", || server.dead_letters("").len() == 1);
    until("the counts", || server.api("overview?range=1h")["deliveries"] == json!(10));
    let told = server.api("overview?range=1h");
    assert_eq!(
        told["verdicts"],
        json!({"accepted": 1, "duplicate": 1, "rejected": 7, "captured": 1, "handshake": 0}),
        "{told}"
    );
    assert_eq!((&told["slot_s"], told["slots"].as_array().unwrap().len()), (&json!(60), 60));
    let source = told["sources"].as_array().unwrap().iter().find(|one| one["source"] == "tagorun").unwrap();
    assert_eq!((&source["deliveries"], &source["verdicts"]["rejected"]), (&json!(8), &json!(6)));
    assert!(told["p95_ms"].as_f64().unwrap() > 0.0);
    let sentences: Vec<&str> =
        told["attention"].as_array().unwrap().iter().map(|one| one["sentence"].as_str().unwrap()).collect();
    assert!(
        sentences[0].starts_with("6 of 8 deliveries to tagorun were refused, mostly signature"),
        "{sentences:?}"
    );
    assert!(sentences.iter().any(|sentence| sentence.contains("dead letter")), "{sentences:?}");
    assert_eq!(server.api("overview")["range"], "24h");
    assert_eq!(server.api("overview?range=7d")["slots"].as_array().unwrap().len(), 84);
    assert_eq!(server.api_raw("overview?range=1y").status, 400);
    for range in ["1h", "24h", "7d", "nonsense"] {
        let page = exchange(server.inspector, "GET", &format!("/overview?range={range}"), &[], b"");
        assert_eq!(page.status, 200);
    }
    let server = server.kill_and_restart();
    assert_eq!(server.api("overview?range=1h")["deliveries"], json!(10), "what was kept survives a crash");
    server.post("/webhook-test", &[], b"x");
    let server = server.stop_and_restart(None);
    assert_eq!(server.api("overview?range=1h")["deliveries"], json!(11), "a stop keeps what was counted");
}
