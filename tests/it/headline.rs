//! The headline of a delivery: at most eight words, the same in the list, the stream, the CSV, the API and on the page.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{SECRET, Server, Setup, TOKEN, exchange, hmac_hex, until};

const EVENT: &str = r#"{"id":"evt_7","event":"data.threshold","timestamp":"2026-03-09T07:14:58Z","device":{"id":"dev-7","name":"Tank level"}}"#;

/// The only delivery of a list, once the background has named its cause.
fn named(server: &Server, headline: &str) -> Value {
    until(headline, || server.deliveries("")[0]["headline"] == headline);
    server.deliveries("")[0].clone()
}

fn page(server: &Server, id: &Value) -> String {
    let path = format!("/deliveries/{}", id.as_str().unwrap());
    String::from_utf8(exchange(server.inspector, "GET", &path, &[], b"").body).unwrap()
}

#[test]
fn the_usual_causes_have_a_headline_of_their_own_everywhere_and_a_line_to_copy() {
    let server = Setup::new(
        r#"
        [[source]]
        name = "tagorun"
        secrets = ["file:signing-secret"]
        [[source]]
        name = "partner"
        secrets = ["file:signing-secret"]
        allow = ["203.0.113.0/24"]
        [[source]]
        name = "tagoio"
        signature = "none"
        credentials = [{ bearer = "file:tagoio-token" }]
        "#,
    )
    .start();
    let wrong = hmac_hex(b"a secret that nobody knows", EVENT.as_bytes());
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(EVENT).unwrap()).unwrap();
    let compact = hmac_hex(SECRET.as_bytes(), EVENT.as_bytes());
    let points = r#"[{"id":"66f1a2b3c4d5e6f700000001","variable":"co2","value":415}]"#;
    let basic = format!("Token {TOKEN}");
    for (path, headers, body, headline, line) in [
        (
            "/webhook/tagorun",
            vec![("X-TagoRUN-Signature", &*wrong)],
            EVENT,
            "Wrong secret or changed body",
            "",
        ),
        (
            "/webhook/tagorun",
            vec![("X-TagoRUN-Signature", &*compact)],
            &pretty,
            "The body was re-formatted after signing",
            "",
        ),
        ("/webhook/tagorun", vec![], EVENT, "Not signed", ""),
        (
            "/webhook/partner",
            vec![],
            EVENT,
            "IP address not allowed",
            "allow = [\"203.0.113.0/24\", \"127.0.0.1\"]",
        ),
        (
            "/webhook/partner",
            vec![("X-Forwarded-For", "203.0.113.9")],
            EVENT,
            "This proxy is not trusted",
            "trusted_proxies = [\"127.0.0.1\"]",
        ),
        (
            "/webhook/tagorun",
            vec![("TagoIO-Retries", "1")],
            points,
            "A TagoIO Action cannot sign",
            "/webhook/tagoio",
        ),
        (
            "/webhook/tagoio",
            vec![("Authorization", &*basic)],
            points,
            "Right credential, sent the wrong way",
            "",
        ),
    ] {
        assert!(server.post(path, &headers, body.as_bytes()).status >= 400);
        let row = named(&server, headline);
        assert!(headline.split_whitespace().count() <= 8);
        let id = &row["id"];
        let delivery = server.delivery(id.as_str().unwrap());
        assert_eq!(delivery["headline"], headline);
        assert!(delivery["diagnosis"].as_str().unwrap().starts_with(&format!("{headline}. ")), "{delivery}");
        let shown = page(&server, id);
        assert!(shown.contains(&format!("id=\"headline\">{headline}</h2>")), "{headline}");
        assert_eq!(shown.matches(headline).count(), 2, "in the title and once on the page: {headline}");
        assert!(shown.contains(&line.replace('"', "&#34;")), "{line}");
        let csv = server.api_raw(&format!("deliveries/export?as=csv&ids={}", id.as_str().unwrap()));
        assert!(String::from_utf8(csv.body).unwrap().contains(headline), "{headline}");
    }
}

#[test]
fn tail_and_the_stream_say_the_closest_cause_and_the_order_stays() {
    let server = Server::start();
    let mut command = server.command(&["tail"]);
    let mut tail = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines().map(Result::unwrap);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| lines.next().unwrap());
        while !first.is_finished() {
            server.post("/webhook-test/ready", &[], b"");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    });
    server.post("/webhook/tagorum", &[], b"{}");
    server.post("/webhook/tagorun", &[], EVENT.as_bytes());
    let mut said: Vec<String> = lines.by_ref().filter(|line| !line.contains("captured")).take(2).collect();
    assert!(said[0].contains("  rejected (unknown_source)  No source with this name  "), "{}", said[0]);
    assert!(said[1].contains("  rejected (signature_missing)  Not signed  "), "{}", said[1]);
    assert!(said[1].contains("  data.threshold (unverified)  evt_7 (unverified)  "), "{}", said[1]);
    // Where a machine is busy, a cause may be named too late for the stream.
    for _ in 0..50 {
        server.post("/webhook/tagoio", &[("Authorization", "Bearer undefined")], b"[]");
        said.push(lines.by_ref().find(|line| !line.contains("captured")).unwrap());
        if said.last().unwrap().contains("  rejected (credentials_wrong)  The token is a placeholder  ") {
            break;
        }
    }
    tail.kill().unwrap();
    tail.wait().unwrap();
    assert!(said.last().unwrap().contains("The token is a placeholder"), "{said:?}");
    let shown: Vec<&str> = said.iter().map(|line| line.split_whitespace().last().unwrap()).collect();
    let kept = server.deliveries("verdict=rejected");
    let kept: Vec<&str> = kept.iter().rev().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(shown, kept, "in the order of the log");
}

#[test]
fn what_an_unread_body_says_is_shown_as_unverified_and_decides_nothing() {
    let server = Server::start();
    assert_eq!(server.post("/webhook/tagorun", &[], EVENT.as_bytes()).status, 401);
    let row = server.newest();
    let unverified = &row["unverified"];
    assert_eq!(
        [&unverified["event"], &unverified["event_id"], &unverified["device"], &unverified["device_name"]],
        ["data.threshold", "evt_7", "dev-7", "Tank level"]
    );
    assert!(["event_type", "event_id", "entity"].iter().all(|name| row[name].is_null()), "{row}");
    let shown = page(&server, &row["id"]);
    assert!(
        shown.contains("<title>data.threshold · Tank level (unverified): Not signed · tagohook</title>"),
        "{shown}"
    );
    assert!(shown.contains("<h1><bdi>data.threshold</bdi>"), "{shown}");
    let csv = String::from_utf8(server.api_raw("deliveries/export?as=csv").body).unwrap();
    assert!(csv.contains(",Not signed,data.threshold,evt_7,dev-7,Tank level,false,,\r\n"), "{csv}");
    // The id is not taken: the event itself is new, its refused try is none of its attempts, and no device was heard.
    assert!(server.deliveries("event_id=evt_7").is_empty());
    assert_eq!(server.post_signed(EVENT.as_bytes()).word(), "processed");
    let accepted = server.newest();
    assert!(accepted["unverified"].is_null() && accepted["event_id"] == "evt_7", "{accepted}");
    assert!(!page(&server, &accepted["id"]).contains("id=\"attempts\""));
    // What cannot be read says nothing.
    for body in [&b"not json"[..], b"", b"[1]"] {
        assert_eq!(server.post("/webhook/tagorun", &[], body).status, 401);
        assert!(server.newest()["unverified"].is_null(), "{}", server.newest());
    }
}

#[test]
fn deliveries_with_the_same_cause_are_counted_and_found() {
    let server = Server::start();
    let wrong = hmac_hex(b"a secret that nobody knows", b"{}");
    for _ in 0..3 {
        server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &wrong)], b"{}");
    }
    server.post("/webhook/tagorun", &[], b"{}");
    let ids: Vec<Value> =
        server.deliveries("reason=signature_mismatch").iter().map(|row| row["id"].clone()).collect();
    // Each is named when it is looked at, if not before.
    for id in &ids {
        server.delivery(id.as_str().unwrap());
    }
    let found = server.deliveries("q=cause%3Awrong-secret");
    assert_eq!(found.iter().map(|row| row["id"].clone()).collect::<Vec<_>>(), ids);
    let shown = page(&server, &ids[0]);
    assert!(shown.contains("2 more deliveries with this cause since"), "{shown}");
    assert!(shown.contains("q=source%3Atagorun+cause%3Awrong-secret"), "{shown}");
}
