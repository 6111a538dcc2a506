//! What somebody should look at first.

use std::collections::BTreeMap;

use super::sum::Overview;
use crate::domain::{Reason, Verdict};
use crate::inspect::ack::AckTimes;
use crate::inspect::search::term;
use crate::telemetry::{Panicked, RefusedKind};

/// So many of a hundred refused are many.
const MANY_REFUSED: u64 = 20;
/// Fewer say nothing.
const FEW: u64 = 5;
/// So many of a hundred of a store's room are nearly all.
const NEARLY_FULL: u64 = 90;

/// So many kinds of requests without a delivery are named.
const MOST_REFUSED: usize = 5;

/// What many conflicts of ids usually mean.
const SAME_ID: &str = " Different events have the same id: it may be the device's. Set another id_pointer.";

/// Something to look at, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention {
    /// What it is, in a sentence.
    pub sentence: String,
    /// The page that says more.
    pub url: String,
}

/// What is known beside what came in.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// How long senders wait.
    pub times: Vec<AckTimes>,
    /// Dead letters.
    pub dead: u64,
    /// Endpoints that are not well, and subscriptions that were disabled: name and state.
    pub unwell: Vec<(String, String)>,
    /// Subscriptions that are not in force and have parked messages: why, and how many.
    pub parked: Vec<(String, u64)>,
    /// Bytes of the store in use, and the most.
    pub store: (u64, u64),
    /// Workers that panicked lately.
    pub panicked: Vec<(&'static str, Panicked)>,
    /// Requests that look like deliveries and left none lately.
    pub refused: Vec<RefusedKind>,
}

/// What needs attention, the most urgent first.
#[must_use]
pub fn attention(overview: &Overview, beside: &Beside) -> Vec<Attention> {
    let mut all: Vec<Attention> =
        beside.panicked.iter().map(|(name, panicked)| stopped(name, panicked.times)).collect();
    let (used, most) = beside.store;
    if most > 0 && used.saturating_mul(100) / most >= NEARLY_FULL {
        all.push(Attention {
            sentence: format!(
                "The store has {} of 100 of its room in use; the oldest deliveries go first.",
                used.saturating_mul(100) / most
            ),
            url: "/metrics".to_owned(),
        });
    }
    all.extend(left_none(&beside.refused));
    let rejected = |verdicts: &[u64; Verdict::ALL.len()]| {
        Verdict::ALL
            .iter()
            .zip(verdicts)
            .find(|(known, _)| **known == Verdict::Rejected)
            .map_or(0, |(_, count)| *count)
    };
    for source in &overview.sources {
        let refused = rejected(&source.verdicts);
        if refused < FEW || refused.saturating_mul(100) / source.counted.count.max(1) < MANY_REFUSED {
            continue;
        }
        let why = source.reasons.first().map(|(reason, _)| *reason);
        let because =
            why.map_or(String::new(), |reason| format!(", mostly {}", reason.as_str().replace('_', " ")));
        // Nobody is called unknown: those came to no source.
        let is_source = source.source != "unknown";
        let name = if is_source { &*source.source } else { "sources that do not exist" };
        let mut words: Vec<String> = why.map(|reason| term("reason", reason.as_str())).into_iter().collect();
        words.extend(is_source.then(|| term("source", &source.source)));
        let cure = if why == Some(Reason::IdConflict) { SAME_ID } else { "" };
        all.push(Attention {
            sentence: format!(
                "{refused} of {} deliveries to {name} were refused{because}.{cure}",
                source.counted.count
            ),
            url: search_url(&words.join(" ")),
        });
    }
    for times in beside.times.iter().filter(|times| times.gave_up > 0) {
        all.push(Attention {
            sentence: format!(
                "The sender of {} gave up before our answer on {} of its last {} deliveries.",
                times.source, times.gave_up, times.deliveries
            ),
            url: search_url(&format!("reason:incomplete {}", term("source", &times.source))),
        });
    }
    for (why, messages) in &beside.parked {
        let parked =
            if *messages == 1 { "1 message is".to_owned() } else { format!("{messages} messages are") };
        all.push(Attention { sentence: format!("{why} {parked} parked."), url: "/subscriptions".to_owned() });
    }
    for (name, state) in &beside.unwell {
        all.push(Attention {
            sentence: format!("The endpoint of {name} is {state}."),
            url: "/health".to_owned(),
        });
    }
    if beside.dead > 0 {
        let letters = if beside.dead == 1 { "1 dead letter waits" } else { "dead letters wait" };
        let count = if beside.dead == 1 { String::new() } else { format!("{} ", beside.dead) };
        all.push(Attention {
            sentence: format!("{count}{letters} for somebody to replay or drop them."),
            url: "/dead-letters".to_owned(),
        });
    }
    all
}

/// A worker that a fault in the program stopped.
fn stopped(name: &str, times: u64) -> Attention {
    let often = if times == 1 { String::new() } else { format!(" {times} times") };
    let sentence = format!("A fault in the program stopped the worker {name}{often}; the log says where.");
    Attention { sentence, url: "/metrics".to_owned() }
}

/// The most frequent requests that look like deliveries and left none, whoever sent them, by what was wrong with them.
fn left_none(refused: &[RefusedKind]) -> Vec<Attention> {
    let mut places: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for kind in refused {
        let place = (kind.newest.place(), kind.newest.detail.as_str());
        let count = places.entry(place).or_default();
        *count = count.saturating_add(kind.count);
    }
    let mut places: Vec<_> = places.into_iter().collect();
    places.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let attention = |((place, detail), count): ((String, &str), u64)| {
        let requests = if count == 1 { "1 request".to_owned() } else { format!("{count} requests") };
        let place = if place.is_empty() { place } else { format!(" ({place})") };
        Attention {
            sentence: format!("{requests}{place} left no delivery. {detail}"),
            url: "/refusals".to_owned(),
        }
    };
    places.into_iter().take(MOST_REFUSED).map(attention).collect()
}

fn search_url(q: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
    format!("/?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::overview::SourceSum;
    use crate::telemetry::Counted;

    #[test]
    fn a_worker_that_stopped_and_requests_without_a_delivery_come_first() {
        use std::time::Instant;

        use crate::domain::Timestamp;
        use crate::telemetry::{NotKept, Panicked, PortName, Refused, RefusedKind};

        let kind = |client: &str, target: &str, count: u64| RefusedKind {
            id: 1,
            newest: Refused {
                port: PortName::Receiver,
                cause: NotKept::Path,
                status: 404,
                client: client.parse().ok(),
                method: "POST".into(),
                target: target.into(),
                detail: "The route is /webhook/tagorun.".into(),
                is_likely: true,
            },
            count,
            first: Timestamp::from_secs(0),
            last: Timestamp::from_secs(0),
        };
        let mut other = kind("192.0.2.3", "/hook", 1);
        other.newest.detail = "The routes are /webhook/tagorun and /webhook-test.".into();
        let beside = Beside {
            panicked: vec![("sender", Panicked { times: 2, last: Instant::now() })],
            refused: vec![
                kind("192.0.2.1", "/webhok/tagorun?token=a", 11),
                kind("192.0.2.2", "/webhok/tagorun", 1),
                kind("192.0.2.2", "/hook", 1),
                other,
            ],
            ..Beside::default()
        };
        let told = attention(&Overview::default(), &beside);
        let sentences: Vec<&str> = told.iter().map(|one| one.sentence.as_str()).collect();
        assert_eq!(
            sentences,
            [
                "A fault in the program stopped the worker sender 2 times; the log says where.",
                "12 requests (POST /webhok/tagorun) left no delivery. The route is /webhook/tagorun.",
                "1 request (POST /hook) left no delivery. The route is /webhook/tagorun.",
                "1 request (POST /hook) left no delivery. The routes are /webhook/tagorun and /webhook-test.",
            ]
        );
    }

    #[test]
    fn what_is_refused_much_is_named_with_its_reason_and_a_search() {
        let source = |name: &str, refused: u64, all: u64| SourceSum {
            source: name.into(),
            verdicts: [all - refused, 0, refused, 0, 0],
            counted: Counted { count: all, ..Counted::default() },
            reasons: vec![(Reason::SignatureMismatch, refused)],
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
        let sentences: Vec<&str> = told.iter().map(|one| one.sentence.as_str()).collect();
        assert_eq!(
            sentences,
            [
                "The store has 95 of 100 of its room in use; the oldest deliveries go first.",
                "50 of 100 deliveries to a b were refused, mostly signature mismatch.",
                "9 of 9 deliveries to sources that do not exist were refused, mostly signature mismatch.",
                "Subscription door is missing from the configuration. 2 messages are parked.",
                "2 dead letters wait for somebody to replay or drop them.",
            ]
        );
        assert_eq!(told[1].url, "/?q=reason%3Asignature_mismatch+source%3A%22a+b%22");
        let mut device = source("e", 9, 10);
        device.reasons = vec![(Reason::IdConflict, 9)];
        let told = attention(&Overview { sources: vec![device], ..Overview::default() }, &Beside::default());
        assert!(told[0].sentence.ends_with("mostly id conflict. Different events have the same id: it may be the device's. Set another id_pointer."));
        assert!(attention(&Overview::default(), &Beside::default()).is_empty());
    }
}
