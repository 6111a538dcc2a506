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
        sentences[0].starts_with("Source tagorun rejected 6 of 8 (75 %) deliveries, mostly signature"),
        "{sentences:?}"
    );
    assert!(sentences.iter().any(|sentence| sentence.contains("dead letter")), "{sentences:?}");
    let source = &told["attention"][0];
    assert_eq!((&source["topic"], &source["action"]), (&json!("source"), &json!("Show deliveries")));
    assert!(source["since"].is_string() && source["grave"] == true, "{source}");
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

#[test]
fn percentiles_are_those_of_the_rows_and_nothing_measured_is_a_dash() {
    let server = Server::start();
    let page = |path: &str| {
        let answer = exchange(server.inspector, "GET", path, &[], b"");
        String::from_utf8(answer.body).unwrap()
    };
    let empty = page("/overview");
    assert!(empty.contains("<dt>Response time, p50</dt><dd>–</dd>"), "{empty}");
    assert!(empty.contains("<dt>Rejected</dt><dd>–</dd>"), "{empty}");
    for n in 0..21 {
        server.post("/webhook-test", &[], format!("{n}").as_bytes());
    }
    until("the counts", || server.api("overview?range=1h")["deliveries"] == json!(21));
    let mut times: Vec<u64> =
        server.deliveries("").iter().map(|row| row["duration_us"].as_u64().unwrap()).collect();
    times.sort_unstable();
    let told = server.api("overview?range=1h");
    let micros = |name: &str| (told[name].as_f64().unwrap() * 1_000.0).round();
    assert_eq!((micros("p50_ms"), micros("p95_ms")), (times[10] as f64, times[19] as f64), "{times:?}");
}

#[test]
fn a_bar_of_the_overview_opens_the_deliveries_of_its_time() {
    let server = Server::start();
    server.post("/webhook-test", &[], b"x");
    until("the counts", || server.api("overview?range=1h")["deliveries"] == json!(1));
    let answer = exchange(server.inspector, "GET", "/overview?range=1h", &[], b"");
    let page = String::from_utf8(answer.body).unwrap();
    let bar = page.split("<a class=\"bar\" href=\"").nth(1).unwrap_or_else(|| panic!("no bar: {page}"));
    let url = bar.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let query = url.strip_prefix("/?").unwrap();
    assert_eq!(server.deliveries(query).len(), 1, "{url}");
    // Kinds differ by pattern, and the axis says how many.
    assert!(page.contains("id=\"rates-captured\"") && page.contains("<title>"), "{page}");
    assert!(page.contains("class=\"grid\"") && page.contains("class=\"y-axis\""), "{page}");
}
