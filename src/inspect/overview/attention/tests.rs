//! Which findings are reported, in which order, and since when.

use std::time::Instant;

use super::*;
use crate::domain::{DeliveryId, Device, Entity, Seen};
use crate::inspect::overview::SourceSum;
use crate::telemetry::{Counted, NotKept, Panicked, PortName, Refused, RefusedKind};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_800_000_000 + secs)
}

fn sentences(told: &[Attention]) -> Vec<&str> {
    told.iter().map(|one| one.sentence.as_str()).collect()
}

#[test]
fn a_worker_that_stopped_and_requests_by_cause_come_first() {
    let kind = |target: &str, cause: NotKept, count: u64, last: i64| RefusedKind {
        id: 1,
        newest: Refused {
            port: PortName::Receiver,
            cause,
            status: 404,
            client: "192.0.2.1".parse().ok(),
            method: "POST".into(),
            target: target.into(),
            detail: format!("The cure of {last}."),
            is_likely: true,
        },
        count,
        first: at(last - 10),
        last: at(last),
    };
    let malformed =
        (0..5).map(|n| kind(&format!("/webhook/a?x={n} y&token=abc"), NotKept::BadTarget, 1, 20 + n));
    let mut refused =
        vec![kind("/webhok/tagorun?token=a", NotKept::Path, 11, 7), kind("/hook", NotKept::Path, 1, 9)];
    refused.extend(malformed);
    let panicked = vec![("sender", Panicked { times: 2, last: Instant::now() })];
    let told =
        attention(&Overview::default(), &Beside { panicked, refused, now: at(60), ..Beside::default() });
    assert_eq!(
        sentences(&told),
        [
            "A fault in the program stopped the worker sender 2 times; see the log.",
            "11 requests were refused before becoming a delivery: unknown path. Latest: POST /webhok/tagorun. The cure of 7.",
            "5 requests were refused before becoming a delivery: malformed URL or request line. Latest: POST /webhook/a. \
             The cure of 24.",
            "1 request was refused before becoming a delivery: unknown path. Latest: POST /hook. The cure of 9.",
        ]
    );
    assert_eq!((told[1].since, told[2].since), (Some(at(-3)), Some(at(10))));
}

#[test]
fn what_is_rejected_much_is_named_with_its_reason_and_a_search() {
    let source = |name: &str, refused: u64, all: u64| SourceSum {
        source: name.into(),
        verdicts: [all - refused, 0, refused, 0, 0],
        counted: Counted::read(all, "{}").unwrap(),
        reasons: vec![(Reason::SignatureMismatch, refused)],
        refused_since: Some(at(0)),
        ..SourceSum::default()
    };
    let overview = Overview {
        sources: vec![
            source("a b", 50, 100),
            source("c", 10, 100),
            source("d", 4, 4),
            source("unknown", 9, 9),
        ],
        ..Overview::default()
    };
    let parked = vec![("Subscription door is missing from the configuration.".into(), 2)];
    let told = attention(&overview, &Beside { dead: 2, store: (95, 100), parked, ..Beside::default() });
    assert_eq!(
        sentences(&told),
        [
            "The store is 95 % full; the oldest deliveries are deleted first.",
            "Source a b rejected 50 of 100 (50 %) deliveries, mostly signature mismatch.",
            "Unknown URLs rejected 9 deliveries, mostly signature mismatch.",
            "Subscription door is missing from the configuration. 2 messages are parked.",
            "2 dead letters: every attempt failed.",
        ]
    );
    assert_eq!(told[1].url, "/?q=reason%3Asignature_mismatch+source%3A%22a+b%22");
    assert_eq!(told[1].since, Some(at(0)));
    let mut device = source("e", 9, 10);
    device.reasons = vec![(Reason::IdConflict, 9)];
    let told = attention(&Overview { sources: vec![device], ..Overview::default() }, &Beside::default());
    assert!(told[0].sentence.ends_with("mostly id conflict. Different events have the same id: it may be the device's. Set another id_pointer."));
    assert!(attention(&Overview::default(), &Beside::default()).is_empty());
}

#[test]
fn endpoints_and_dead_letters_are_a_line_each_since_the_first_of_them() {
    let unwell = |name: &str, since: i64| Unwell {
        name: name.into(),
        state: "unreachable".into(),
        since: Some(at(since)),
    };
    let beside = Beside {
        unwell: vec![unwell("Slack", 9), unwell("Lake", 3), unwell("a", 5), unwell("b", 5)],
        dead: 49,
        dead_of: vec!["Slack".into(), "Lake".into()],
        dead_since: Some(at(4)),
        ..Beside::default()
    };
    let told = attention(&Overview::default(), &beside);
    assert_eq!(
        sentences(&told),
        [
            "4 endpoints are failing: Slack (unreachable), Lake (unreachable), a (unreachable) and 1 more.",
            "49 dead letters for Slack and Lake: every attempt failed.",
        ]
    );
    assert_eq!((told[0].since, told[1].since), (Some(at(3)), Some(at(4))));
    let one = Beside { unwell: vec![unwell("Slack", 9)], ..Beside::default() };
    assert_eq!(sentences(&attention(&Overview::default(), &one)), ["The endpoint of Slack is unreachable."]);
}

#[test]
fn devices_in_trouble_are_named_with_how_bad_it_is() {
    let device = |name: &str, event: fn(i64) -> i64| {
        let seen = |secs: i64| Seen {
            delivery: DeliveryId::new_at(at(secs)),
            received_at: at(secs),
            event_at: Some(at(event(secs))),
            event_type: None,
            name: Some(name.to_owned()),
        };
        let mut key = Entity::first("s".into(), name.to_lowercase(), &seen(0));
        (1..6).for_each(|n| key.see(&seen(n * 300)));
        Device { key, others: Vec::new() }
    };
    let devices = TroubledDevices {
        silent: vec![device("Boiler", |at| at)],
        ahead: vec![device("Pump", |at| at + 139), device("Fan", |at| at + 60)],
        late: Vec::new(),
    };
    let now = at(1_500 + 6 * 3_600);
    let told = attention(&Overview::default(), &Beside { devices, now, ..Beside::default() });
    assert_eq!(
        sentences(&told),
        [
            "Boiler has been silent for 6 h; it usually reports every 5 min.",
            "2 devices have clocks that are ahead: Pump (2 min 19 s) and Fan (1 min).",
        ]
    );
    assert_eq!((told[0].since, told[0].url.as_str()), (Some(at(1_500)), "/entities/s/boiler"));
    assert_eq!((told[1].topic.is_grave(), told[1].url.as_str()), (false, "/entities?state=clock_ahead"));
}
