//! Traces by OTLP: `cargo test --features otlp --test otlp`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::expect_used
)]

#[allow(dead_code, unused_imports)]
#[path = "it/harness/mod.rs"]
mod harness;

use std::time::Duration;

use serde_json::json;

use harness::{Reply, Server, Setup, Sink, hmac_hex, login, until};

const SECRET_BODY: &str = "never-in-a-trace";

/// A field of a protobuf message: its number, and its bytes or its number.
#[derive(Debug)]
enum Field {
    Bytes(u64, Vec<u8>),
    Number(u64, u64),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn fields(mut bytes: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let mut take = |count: usize| {
            let (taken, rest) = bytes.split_at(count);
            bytes = rest;
            taken.to_vec()
        };
        fields.push(match key & 7 {
            1 => Field::Number(key >> 3, u64::from_le_bytes(take(8).try_into().unwrap())),
            5 => Field::Number(key >> 3, u32::from_le_bytes(take(4).try_into().unwrap()).into()),
            0 => Field::Number(key >> 3, varint(&mut bytes)),
            _ => {
                let length = varint(&mut bytes);
                let (taken, rest) = bytes.split_at(usize::try_from(length).unwrap());
                bytes = rest;
                Field::Bytes(key >> 3, taken.to_vec())
            }
        });
    }
    fields
}

fn children(bytes: &[u8], wanted: u64) -> Vec<Vec<u8>> {
    let found = fields(bytes).into_iter().filter_map(|field| match field {
        Field::Bytes(number, bytes) if number == wanted => Some(bytes),
        _ => None,
    });
    found.collect()
}

fn text(bytes: &[u8], wanted: u64) -> String {
    children(bytes, wanted)
        .first()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .unwrap_or_default()
}

fn hex_of(bytes: &[u8], wanted: u64) -> String {
    children(bytes, wanted).first().map(hex::encode).unwrap_or_default()
}

fn number(bytes: &[u8], wanted: u64) -> u64 {
    let found = fields(bytes).into_iter().find_map(|field| match field {
        Field::Number(number, value) if number == wanted => Some(value),
        _ => None,
    });
    found.unwrap_or_default()
}

/// A span of `opentelemetry.proto.trace.v1`.
#[derive(Clone, Debug)]
struct Span {
    name: String,
    trace: String,
    id: String,
    parent: String,
    attributes: Vec<(String, String)>,
    events: Vec<String>,
    took_ns: u64,
}

impl Span {
    fn of(span: &[u8]) -> Self {
        let value = |pair: &Vec<u8>| {
            let value = children(pair, 2).remove(0);
            let shown = text(&value, 1);
            (text(pair, 1), if shown.is_empty() { number(&value, 3).to_string() } else { shown })
        };
        let event = |event: &Vec<u8>| {
            let attributes: Vec<(String, String)> = children(event, 3).iter().map(value).collect();
            format!("{} {attributes:?}", text(event, 2))
        };
        Self {
            name: text(span, 5),
            trace: hex_of(span, 1),
            id: hex_of(span, 2),
            parent: hex_of(span, 4),
            attributes: children(span, 9).iter().map(value).collect(),
            events: children(span, 11).iter().map(event).collect(),
            took_ns: number(span, 8) - number(span, 7),
        }
    }

    fn get(&self, key: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == key).map_or("", |(_, value)| value)
    }
}

fn spans(collector: &Sink) -> Vec<Span> {
    let requests = collector.seen();
    assert!(requests.iter().all(|request| request.path == "/v1/traces"));
    let spans =
        requests.iter().flat_map(|request| children(&request.body, 1)).flat_map(|all| children(&all, 2));
    spans.flat_map(|scope| children(&scope, 2)).map(|span| Span::of(&span)).collect()
}

fn wait_for(collector: &Sink, what: &str, is_it: impl Fn(&Span) -> bool) -> Span {
    let mut found = None;
    until(what, || {
        found = spans(collector).into_iter().find(&is_it);
        found.is_some()
    });
    found.unwrap()
}

fn traced(collector: &Sink) -> Server {
    Setup::new(&format!("[telemetry]\notlp_endpoint = \"http://{}\"\n", collector.address)).start()
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_delivery_and_its_attempts_are_spans_with_ids_and_verdicts_and_nothing_else() {
    let collector = Sink::start();
    let server = traced(&collector);
    let endpoint = Sink::scripted(|_, before| Reply::Status(if before == 0 { 503 } else { 200 }));
    server.subscribe(&json!({
        "name": "all", "url": endpoint.url("/hook?token=of-the-endpoint"), "events": ["*"],
        "retry_policy": {"max_attempts": 3, "backoff": "fixed", "base": "100ms"},
    }));
    let body = login("traced").replace("a@example.com", &format!("{SECRET_BODY}@example.com"));
    let signature = hmac_hex(harness::SECRET.as_bytes(), body.as_bytes());
    let headers = |parent: &'static str| {
        vec![
            ("X-TagoRUN-Signature", signature.clone()),
            ("traceparent", parent.to_owned()),
            ("X-Private", SECRET_BODY.to_owned()),
        ]
    };
    let post = |headers: &[(&str, String)]| {
        let lines: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        server.post("/webhook/tagorun", &lines, body.as_bytes()).status
    };
    assert_eq!(post(&headers(PARENT)), 200);
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let delivery = wait_for(&collector, "the delivery", |span| span.get("tagohook.delivery.id") == id);
    assert_eq!((&*delivery.name, &*delivery.trace), ("delivery", "4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(delivery.parent, "00f067aa0ba902b7");
    for (key, value) in [
        ("tagohook.source", "tagorun"),
        ("tagohook.event.id", "traced"),
        ("tagohook.event.type", "user.login"),
        ("tagohook.verdict", "accepted"),
        ("tagohook.reason", ""),
        ("http.response.status_code", "200"),
    ] {
        assert_eq!(delivery.get(key), value, "{key}: {delivery:?}");
    }
    assert_eq!(delivery.events.len(), 7, "{:?}", delivery.events);
    assert!(
        delivery.events[3].contains("signature") && delivery.events[3].contains("pass"),
        "{:?}",
        delivery.events
    );
    let commit =
        wait_for(&collector, "the commit", |span| span.name == "commit" && span.parent == delivery.id);
    assert!(commit.took_ns <= delivery.took_ns);

    let first = wait_for(&collector, "the first attempt", |span| span.get("tagohook.attempt") == "1");
    let second = wait_for(&collector, "the second attempt", |span| span.get("tagohook.attempt") == "2");
    assert_eq!((first.get("tagohook.outcome"), first.get("http.response.status_code")), ("retry", "503"));
    assert_eq!(
        (second.get("tagohook.outcome"), second.get("http.response.status_code")),
        ("delivered", "200")
    );
    for attempt in [&first, &second] {
        assert_eq!((&*attempt.name, attempt.get("tagohook.event.id")), ("attempt", "traced"));
        assert!(!attempt.get("tagohook.subscription.id").is_empty());
        assert_eq!(attempt.get("tagohook.message.id"), first.get("tagohook.message.id"));
    }
    assert!(
        endpoint.seen().iter().all(|request| request.header("traceparent").is_empty()),
        "it is not passed on"
    );

    // Parents that are none, and verdicts that are no.
    let others = [
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "nonsense",
    ];
    for parent in others {
        assert_eq!(post(&headers(parent)), 200);
        let id = server.newest()["id"].as_str().unwrap().to_owned();
        let span = wait_for(&collector, "a root", |span| span.get("tagohook.delivery.id") == id);
        assert!(span.parent.is_empty() && span.trace != delivery.trace, "{parent}: {span:?}");
        assert_eq!(span.get("tagohook.verdict"), "duplicate");
    }
    let mut twice = headers(PARENT);
    twice.push(("traceparent", PARENT.to_owned()));
    post(&twice);
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    assert!(
        wait_for(&collector, "two parents", |span| span.get("tagohook.delivery.id") == id).parent.is_empty()
    );
    assert_eq!(
        server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", "00")], body.as_bytes()).status,
        401
    );
    let refused = wait_for(&collector, "the refusal", |span| span.get("tagohook.verdict") == "rejected");
    assert_eq!(
        (refused.get("tagohook.reason"), refused.get("http.response.status_code")),
        ("signature_malformed", "401")
    );

    for secret in [SECRET_BODY, &signature, harness::SECRET, "of-the-endpoint"] {
        for request in collector.seen() {
            let found = String::from_utf8_lossy(&request.body).contains(secret);
            assert!(!found, "{secret} is in a trace");
        }
    }
    assert!(!server.log().contains("check="), "spans are not in the log: {}", server.log());
}

#[test]
fn a_collector_that_is_away_hangs_or_refuses_costs_no_delivery_and_is_said_once() {
    for reply in [None, Some(503), Some(0)] {
        let collector = Sink::scripted(move |_, _| match reply {
            Some(0) => Reply::Hang,
            Some(status) => Reply::Status(status),
            None => Reply::Reset,
        });
        let mut server = traced(&collector);
        for number in 0..3_000 {
            // More than what waits in memory.
            let answer = server.post("/webhook-test/x", &[], number.to_string().as_bytes());
            assert_ne!(answer.status, 503, "{number}");
        }
        assert!(!server.deliveries("").is_empty());
        if reply != Some(0) {
            until("the warning", || server.log().contains("the collector takes no traces"));
        }
        let began = std::time::Instant::now();
        assert_eq!(server.stop(), Some(0));
        assert!(began.elapsed() < Duration::from_secs(15), "the end waits for nobody: {:?}", began.elapsed());
        assert!(server.log().matches("the collector takes no traces").count() <= 1, "{}", server.log());
    }
}
