//! What every store promises, tested on each kind of store.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;
use crate::domain::{
    Appended, BodyEnd, Check, Claim, ClaimKey, ClientAddress, Clock, Condition, Connection, Decision,
    Delivery, DeliveryFilter, DeliveryId, Entry, EventFacts, Gate, Headers, ManualClock, Outcome, Query,
    Reason, Timestamp, Unverified, Verdict,
};

mod both_engines;
mod claims;
mod connections;
mod faults;
mod imported;
mod indexes;
mod kept;
mod keys;
mod learned;
mod marks;
mod nodes;
mod packed;
mod panics;
mod places;
mod positions;
mod queue;
mod replay_runs;
mod retention;
mod search;
mod standby;
mod statements;

pub use places::place_in;
pub use standby::Standby;

const DAY: Duration = Duration::from_secs(86_400);

struct Case {
    store: Store,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
    options: StoreOptions,
}

async fn open() -> Case {
    open_with(|_| {}).await
}

/// A store in SQLite, for what only SQLite promises.
async fn open_sqlite(change: impl FnOnce(&mut StoreOptions)) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(folder.path().join("t.db"));
    open_at(folder, place, change).await
}

async fn open_with(change: impl FnOnce(&mut StoreOptions)) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let place = place_in(folder.path()).await;
    open_at(folder, place, change).await
}

async fn open_at(folder: tempfile::TempDir, place: Place, change: impl FnOnce(&mut StoreOptions)) -> Case {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let mut options = StoreOptions {
        place,
        clock: Arc::<ManualClock>::clone(&clock),
        retention: Retention {
            keep_deliveries: 30 * DAY,
            keep_rejected: 7 * DAY,
            keep_captured: 1000,
            keep_event_ids: 60 * DAY,
            keep_messages: Duration::from_secs(3_600),
            keep_dead_letters: Duration::from_secs(7_200),
            max_size: 1 << 30,
            max_refused: 1 << 30,
        },
        queue: 1000,
        queue_bytes: 64 << 20,
        workers: crate::telemetry::Workers::default(),
        metrics: crate::telemetry::StoreMetrics::default(),
    };
    change(&mut options);
    Case { store: Store::open(options.clone()).await.unwrap(), clock, folder, options }
}

impl Case {
    async fn reopen(mut self) -> Self {
        self.store.close().await;
        self.store = Store::open(self.options.clone()).await.unwrap();
        self
    }

    fn entry(&self, decision: Decision) -> Entry {
        let now = self.clock.now();
        let mut headers = Headers::default();
        headers.push("X-Odd", b"\xff: \x80".to_vec());
        headers.push("x-odd", Vec::new());
        let ip: IpAddr = "203.0.113.7".parse().unwrap();
        let checks = Gate::ALL.map(|gate| Check {
            gate,
            outcome: Outcome::Pass,
            reason: None,
            seen: "seen".into(),
            rule: "rule".into(),
            duration_us: 1,
            faults: Vec::new(),
            notes: Vec::new(),
        });
        Entry {
            delivery: Delivery {
                id: DeliveryId::new_at(now),
                source: "tagorun".into(),
                received_at: self.clock.wall(),
                method: "POST".into(),
                path: "/webhook/tagorun?a=1".into(),
                http_version: "HTTP/1.1".into(),
                client: ClientAddress { ip, peer: ip, explanation: "direct connection".into() },
                connection: Connection { port: Some(51_234), deliveries: 2 },
                headers,
                body: Bytes::from_static(b"{\"a\":\x00\xff}"),
                body_end: BodyEnd::Complete,
            },
            facts: EventFacts { event_type: Some("user.login".into()), ..EventFacts::default() },
            unverified: Unverified::default(),
            checks: checks.to_vec(),
            decision,
            started: Instant::now(),
        }
    }

    fn with_id(&self, id: &str, digest: u8) -> Entry {
        let claim =
            Claim { key: ClaimKey::Id(id.into()), also: None, body_digest: [digest; 32], window: None };
        let mut entry = self.entry(Decision::Accept(Some(claim)));
        entry.facts.event_id = Some(id.into());
        entry.delivery.body = Bytes::from(format!(r#"{{"n":{digest}}}"#));
        entry
    }

    async fn put(&self, entry: Entry) -> Appended {
        self.store.append(entry).await.unwrap().appended
    }

    /// Appends an entry; returns its position.
    async fn at(&self, entry: Entry) -> i64 {
        self.store.append(entry).await.unwrap().seq
    }

    /// Waits until those who follow the log see it up to `seq`. On SQLite they do already.
    async fn is_seen(&self, seq: i64) {
        let mut newest = self.store.newest();
        let seen = newest.wait_for(|newest| *newest >= seq);
        tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap().unwrap();
    }

    async fn verdicts(&self) -> Vec<Verdict> {
        let rows = self.store.list(&DeliveryFilter::default(), None, 1000).await.unwrap();
        rows.iter().map(|row| row.verdict).collect()
    }
}

fn is_new(appended: &Appended) -> bool {
    *appended == Appended::New
}

#[tokio::test]
async fn an_id_is_new_then_a_duplicate_and_with_another_body_a_conflict() {
    let case = open().await;
    let first = case.with_id("a", 1);
    let first_id = first.delivery.id;
    assert_eq!(case.put(first).await, Appended::New);
    assert!(
        matches!(case.put(case.with_id("a", 1)).await, Appended::Duplicate { first, .. } if first == first_id)
    );
    assert!(
        matches!(case.put(case.with_id("a", 2)).await, Appended::Conflict { first, .. } if first == first_id)
    );
    let mut other = case.with_id("a", 1);
    other.delivery.source = "other".into();
    assert_eq!(case.put(other).await, Appended::New);
    let case = case.reopen().await;
    assert!(matches!(case.put(case.with_id("a", 1)).await, Appended::Duplicate { .. }));
    let rows = case.store.list(&DeliveryFilter::default(), None, 10).await.unwrap();
    let conflict = case.store.delivery(rows[2].id).await.unwrap().unwrap();
    assert_eq!((conflict.row.reason, conflict.row.status), (Some(Reason::IdConflict), 409));
    assert_eq!(conflict.checks.last().unwrap().outcome, Outcome::Fail);
}

#[tokio::test]
async fn a_claim_ends_with_its_window_or_with_the_retention_of_ids() {
    let case = open().await;
    let windowed = || {
        let claim = Claim {
            key: ClaimKey::Body([1; 32]),
            also: None,
            body_digest: [1; 32],
            window: Some(Duration::from_secs(600)),
        };
        Decision::Accept(Some(claim))
    };
    assert!(is_new(&case.put(case.entry(windowed())).await));
    case.clock.advance(Duration::from_secs(599));
    assert!(!is_new(&case.put(case.entry(windowed())).await));
    case.clock.advance(Duration::from_secs(1));
    assert!(is_new(&case.put(case.entry(windowed())).await));
    assert!(is_new(&case.put(case.with_id("a", 1)).await));
    case.clock.advance(60 * DAY - Duration::from_secs(1));
    case.store.prune().await.unwrap();
    assert!(!is_new(&case.put(case.with_id("a", 1)).await), "the id outlives its delivery");
    case.clock.advance(Duration::from_secs(1));
    assert!(is_new(&case.put(case.with_id("a", 1)).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_equal_claims_at_once_exactly_one_is_new() {
    let case = Arc::new(open().await);
    for round in 0..20 {
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let case = Arc::clone(&case);
                tokio::spawn(async move { case.put(case.with_id(&format!("r{round}"), 1)).await })
            })
            .collect();
        let mut new = 0;
        for task in tasks {
            new += usize::from(is_new(&task.await.unwrap()));
        }
        assert_eq!(new, 1);
    }
}

#[tokio::test]
async fn every_byte_and_every_line_comes_back() {
    let case = open().await;
    for body in [Bytes::new(), Bytes::from(vec![0xfe; 4 << 20]), Bytes::from_static(b"a\0b")] {
        let mut entry = case.entry(Decision::Reject(Reason::NotJson));
        entry.delivery.body = body.clone();
        entry.delivery.body_end = BodyEnd::CutAtCap;
        let (id, headers) = (entry.delivery.id, entry.delivery.headers.clone());
        case.put(entry).await;
        let stored = case.store.delivery(id).await.unwrap().unwrap();
        assert_eq!((stored.body, stored.headers, stored.body_end), (body, headers, BodyEnd::CutAtCap));
        assert_eq!(stored.checks.len(), 7);
        assert_eq!(stored.client.explanation, "direct connection");
    }
    assert!(case.store.delivery(DeliveryId::from_bytes([0; 16])).await.unwrap().is_none());
}

#[tokio::test]
async fn a_list_is_filtered_by_each_column_and_paged() {
    let case = open().await;
    let mut odd = case.with_id("evt_odd", 1);
    odd.delivery.source = "odd".into();
    odd.delivery.method = "PUT".into();
    odd.delivery.client.ip = "2001:db8::1".parse().unwrap();
    odd.delivery.body = Bytes::from_static(b"needle%_");
    odd.facts.event_type = Some("odd.event".into());
    odd.facts.event_name = Some("odd_alias".into());
    odd.facts.entity = Some("device-1".into());
    case.put(case.entry(Decision::Capture(418))).await;
    case.clock.advance(Duration::from_secs(10));
    let odd_time = case.clock.now();
    odd.delivery.received_at = odd_time;
    case.put(odd).await;
    case.clock.advance(Duration::from_secs(10));
    let last = case.at(case.entry(Decision::Reject(Reason::Stale))).await;
    case.is_seen(last).await;
    let text = |text: &str| Some(text.to_owned());
    let filters = [
        DeliveryFilter { source: text("odd"), ..DeliveryFilter::default() },
        DeliveryFilter { method: text("PUT"), ..DeliveryFilter::default() },
        DeliveryFilter { client_ip: Some("2001:db8::/32".parse().unwrap()), ..DeliveryFilter::default() },
        DeliveryFilter { event_type: text("odd.event"), ..DeliveryFilter::default() },
        DeliveryFilter { event_type: text("odd_alias"), ..DeliveryFilter::default() },
        DeliveryFilter { event_id: text("evt_odd"), ..DeliveryFilter::default() },
        DeliveryFilter { entity: text("device-1"), ..DeliveryFilter::default() },
        DeliveryFilter { verdict: Some(Verdict::Accepted), ..DeliveryFilter::default() },
        DeliveryFilter { status: Some(200), ..DeliveryFilter::default() },
        DeliveryFilter {
            q: Some(Query::Is(Condition::Anywhere("NEEDLE%_".into()))),
            ..DeliveryFilter::default()
        },
        DeliveryFilter {
            from: Some(odd_time),
            to: Some(odd_time.plus(Duration::from_secs(1))),
            ..DeliveryFilter::default()
        },
    ];
    let mut through = 0;
    for filter in filters {
        let rows = case.store.list(&filter, None, 10).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.source.as_str()).collect::<Vec<_>>(), ["odd"], "{filter:?}");
        let tail = case.store.since(&filter, 0, 10).await.unwrap();
        assert!(tail.rows.len() == 1 && tail.through >= last, "{filter:?}");
        through = through.max(tail.through);
    }
    let none = DeliveryFilter {
        q: Some(Query::Is(Condition::Anywhere("needle__".into()))),
        ..DeliveryFilter::default()
    };
    assert!(case.store.list(&none, None, 10).await.unwrap().is_empty());
    let reason = DeliveryFilter { reason: Some(Reason::Stale), ..DeliveryFilter::default() };
    assert_eq!(case.store.list(&reason, None, 10).await.unwrap()[0].status, 401);
    let page = case.store.list(&DeliveryFilter::default(), None, 2).await.unwrap();
    let rest = case.store.list(&DeliveryFilter::default(), Some(page[1].seq), 2).await.unwrap();
    assert_eq!((page.len(), rest.len(), rest[0].verdict), (2, 1, Verdict::Captured));
    assert!(case.at(case.entry(Decision::Capture(200))).await > through, "no tail passes what comes");
}

#[tokio::test]
async fn a_tail_has_no_gap_and_no_repeat() {
    let case = open().await;
    let mut written = Vec::new();
    for _ in 0..25 {
        written.push(case.at(case.entry(Decision::Capture(200))).await);
    }
    case.is_seen(written[24]).await;
    let (mut seen, mut cursor) = (Vec::new(), 0);
    loop {
        let tail = case.store.since(&DeliveryFilter::default(), cursor, 10).await.unwrap();
        cursor = tail.through;
        if tail.rows.is_empty() {
            break;
        }
        seen.extend(tail.rows.iter().map(|row| row.seq));
    }
    assert_eq!(seen, written);
    assert_eq!(*case.store.newest().borrow(), written[24]);
}

#[tokio::test]
async fn each_verdict_is_kept_for_its_own_time() {
    let case = open_with(|options| options.retention.keep_captured = 2).await;
    let mut written = Vec::new();
    for _ in 0..3 {
        written.push(case.at(case.entry(Decision::Accept(None))).await);
        written.push(case.at(case.entry(Decision::Reject(Reason::Stale))).await);
        written.push(case.at(case.entry(Decision::Capture(200))).await);
    }
    case.is_seen(written[8]).await;
    assert_eq!(case.store.prune().await.unwrap().deliveries, 1);
    assert_eq!(case.store.pruned_through(), written[2]);
    case.clock.advance(7 * DAY);
    assert_eq!(case.store.prune().await.unwrap().deliveries, 0, "exactly seven days are kept");
    case.clock.advance(Duration::from_secs(1));
    assert_eq!(case.store.prune().await.unwrap().deliveries, 3);
    case.clock.advance(23 * DAY);
    assert_eq!(case.store.prune().await.unwrap().deliveries, 3);
    assert_eq!(case.verdicts().await, [Verdict::Captured, Verdict::Captured]);
    let case = case.reopen().await;
    assert_eq!(case.store.pruned_through(), written[7]);
    assert!(case.at(case.entry(Decision::Accept(None))).await > written[8]);
}

#[tokio::test]
async fn over_max_size_captures_go_before_refusals_and_those_before_accepted_ones() {
    let case = open_with(|options| options.retention.max_size = 2_700_000).await;
    let big = |decision| {
        let mut entry = case.entry(decision);
        entry.delivery.body = Bytes::from(vec![b'x'; 500_000]);
        entry
    };
    case.put(big(Decision::Accept(None))).await;
    case.put(big(Decision::Reject(Reason::Stale))).await;
    case.put(big(Decision::Capture(200))).await;
    for _ in 0..3 {
        case.put(big(Decision::Accept(None))).await;
    }
    case.store.prune().await.unwrap();
    let verdicts = case.verdicts().await;
    assert!(!verdicts.contains(&Verdict::Captured), "{verdicts:?}");
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count(), 4);
    for _ in 0..6 {
        case.put(big(Decision::Accept(None))).await;
    }
    case.store.prune().await.unwrap();
    assert!(case.store.size().used <= 2_700_000);
    let verdicts = case.verdicts().await;
    assert!(
        verdicts.len() >= 4 && verdicts.iter().all(|verdict| *verdict == Verdict::Accepted),
        "{verdicts:?}"
    );
}

#[tokio::test]
async fn a_wall_clock_that_is_set_makes_nothing_old_and_no_event_id_free() {
    let case = open().await;
    for (set, id) in [(86_400, "a"), (-2 * 86_400, "b")] {
        assert_eq!(case.put(case.with_id(id, 1)).await, Appended::New);
        case.clock.set_wall(set);
        assert_eq!(case.put(case.with_id(&format!("{id} after"), 1)).await, Appended::New);
        assert_eq!(case.store.prune().await.unwrap(), Pruned::default(), "{set}");
        assert!(matches!(case.put(case.with_id(id, 1)).await, Appended::Duplicate { .. }));
    }
}
