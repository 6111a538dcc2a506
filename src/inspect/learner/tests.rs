//! The learner over a real store, with a clock that is moved by hand.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::step::{Learner, Progress};
use crate::catalog::Catalog;
use crate::config::{Sealer, SecretResolver};
use crate::domain::{
    BodyEnd, ClientAddress, Clock, Connection, Decision, Delivery, DeliveryId, DeviceState, Entry,
    EventFacts, Headers, ManualClock, MessageFilter, Reason, Scheme, Seen, SilenceAfter, Source, Timestamp,
    Unverified,
};
use crate::inspect::drift::{ReportQuery, reports};
use crate::payload::Sources;
use crate::send::{Client, Sender, SenderParts, TargetGuard};
use crate::store::{
    EntityOrder, EntityQuery, Learnt, Retention, SeenEntity, SeenIn, Store, StoreOptions, TypeLearnt,
    place_in,
};

mod nodes;
mod panics;
mod silences;

const MINUTE: Duration = Duration::from_secs(60);

struct House {
    store: Store,
    clock: Arc<ManualClock>,
    sender: Sender,
    sources: Sources,
    /// The clock of sender and learner.
    fragile: Arc<Fragile>,
    folder: tempfile::TempDir,
    options: StoreOptions,
    /// The position of the last delivery.
    newest: AtomicI64,
}

/// A clock that panics once, when the thread of that name asks it.
struct Fragile {
    clock: Arc<ManualClock>,
    breaks: Mutex<Option<&'static str>>,
}

impl Clock for Fragile {
    fn now(&self) -> Timestamp {
        let thread = std::thread::current();
        let breaks = self.breaks.lock().unwrap().take_if(|name| thread.name() == Some(name));
        assert!(breaks.is_none(), "the clock is broken");
        self.clock.now()
    }

    fn wall(&self) -> Timestamp {
        self.clock.wall()
    }
}

fn source(rule: SilenceAfter) -> Source {
    Source { entity: "/device/id".to_owned(), silence_after: rule, ..Source::plain("s", Scheme::None) }
}

async fn house(rule: SilenceAfter) -> House {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let day = Duration::from_secs(86_400);
    let retention = Retention {
        keep_deliveries: 99 * day,
        keep_rejected: 99 * day,
        keep_captured: 100,
        keep_event_ids: day,
        keep_messages: 99 * day,
        keep_dead_letters: day,
        max_size: 1 << 30,
        max_refused: 1 << 28,
    };
    let options = StoreOptions {
        place: place_in(folder.path()).await,
        clock: Arc::<ManualClock>::clone(&clock),
        retention,
        queue: 4096,
        queue_bytes: 1 << 26,
        workers: crate::telemetry::Workers::default(),
        metrics: crate::telemetry::StoreMetrics::default(),
    };
    let store = Store::open(options.clone()).await.unwrap();
    house_of(store, options, rule, clock, folder)
}

/// A node on a store.
fn house_of(
    store: Store,
    options: StoreOptions,
    rule: SilenceAfter,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
) -> House {
    let day = Duration::from_secs(86_400);
    let fragile = Arc::new(Fragile { clock: Arc::clone(&clock), breaks: Mutex::default() });
    let guard = TargetGuard::new(false);
    let sources = Sources::new(vec![source(rule)], 1 << 20);
    let sender = Sender::new(SenderParts {
        store: store.clone(),
        catalog: Arc::new(Catalog::builtin()),
        clock: Arc::<Fragile>::clone(&fragile),
        metrics: Arc::default(),
        guard,
        client: Client::new(guard).unwrap(),
        sources: sources.clone(),
        secrets: SecretResolver::new(folder.path().to_owned(), &[]),
        sealer: Sealer::new(&[7; 32]),
        lease: day,
        health_interval: day,
        connections: 100,
    });
    House { store, clock, sender, sources, fragile, folder, options, newest: AtomicI64::new(0) }
}

impl House {
    async fn learner(&self) -> Learner {
        let sources = self.sources.clone();
        let clock = Arc::<ManualClock>::clone(&self.clock);
        Learner::resume(self.store.clone(), self.sender.clone(), sources, clock).await.unwrap()
    }

    async fn hear(
        &self,
        event_type: &str,
        entity: Option<&str>,
        reason: Option<Reason>,
        body: &Value,
    ) -> DeliveryId {
        let now = self.clock.now();
        let id = DeliveryId::new_at(now);
        let ip = "127.0.0.1".parse().unwrap();
        let delivery = Delivery {
            id,
            source: "s".to_owned(),
            received_at: self.clock.wall(),
            method: "POST".to_owned(),
            path: "/webhook/s".to_owned(),
            http_version: "HTTP/1.1".to_owned(),
            client: ClientAddress { ip, peer: ip, explanation: "direct connection".to_owned() },
            connection: Connection::default(),
            headers: Headers::default(),
            body: bytes::Bytes::from(body.to_string()),
            body_end: BodyEnd::Complete,
        };
        let facts = EventFacts {
            event_type: Some(event_type.to_owned()),
            entity: entity.map(str::to_owned),
            ..EventFacts::default()
        };
        let decision = reason.map_or(Decision::Accept(None), Decision::Reject);
        let unverified = Unverified::default();
        let entry =
            Entry { delivery, facts, unverified, checks: Vec::new(), decision, started: Instant::now() };
        let written = self.store.append(entry).await.unwrap();
        self.newest.fetch_max(written.seq, Ordering::Relaxed);
        id
    }

    async fn hear_device(&self, device: &str) {
        let body = json!({"event": "data.received", "device": {"id": device, "name": "Pump"}, "v": 1});
        self.hear("data.received", Some(device), None, &body).await;
    }

    /// Messages about silences so far.
    async fn told(&self) -> usize {
        self.store.messages(MessageFilter::default(), None, 100).await.unwrap().len()
    }

    async fn subscribe(&self) {
        let json = r#"{"name": "a", "url": "http://127.0.0.1:9/", "events": ["device.silent"], "signature": {"scheme": "none"}}"#;
        self.sender.create(json).await.unwrap();
    }

    /// Learns everything up to now, and tells of silences.
    async fn learn_all(&self, learner: &mut Learner) {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            while learner.step().await.unwrap() != Progress::End {}
            let cursor = self.store.learner_state().await.unwrap().cursor;
            if cursor >= self.newest.load(Ordering::Relaxed)
                && learner.known_until() == Some(self.clock.now())
            {
                break;
            }
            // In PostgreSQL, positions are final once every transaction that began before has ended.
            assert!(Instant::now() < end, "the log does not end");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        learner.report_silences().await.unwrap();
    }
}

#[tokio::test]
async fn fields_are_learnt_from_accepted_and_schema_refused_deliveries_only() {
    let house = house(SilenceAfter::Off).await;
    let first = house.hear("plant.watered", None, None, &json!({"a": 1})).await;
    house
        .hear("plant.watered", None, Some(Reason::InvalidPayload), &json!({"a": "x", "b": [{"c": 1}]}))
        .await;
    house.hear("plant.watered", None, Some(Reason::SignatureMismatch), &json!({"secret": 1})).await;
    let mut learner = house.learner().await;
    house.learn_all(&mut learner).await;
    let known = house.store.drift_types().await.unwrap();
    assert_eq!((known.len(), known[0].deliveries, known[0].refused, known[0].samples), (1, 2, 1, 2));
    assert_eq!(known[0].first_in, first);
    let fields = house.store.drift_fields(known[0].id).await.unwrap();
    let pointers: Vec<&str> = fields.iter().map(|field| field.pointer.as_str()).collect();
    assert_eq!(pointers, ["", "/a", "/b", "/b/*", "/b/*/c"]);
    let (before, ..) = fields[1].changed.unwrap();
    assert_eq!((before.words(), fields[1].first_sample), ("integer".to_owned(), 1));
}

#[tokio::test]
async fn what_is_learnt_is_kept_and_counted_once_over_a_restart() {
    let house = house(SilenceAfter::Off).await;
    for n in 0..600 {
        house.hear("a", Some("d"), None, &json!({"n": n})).await;
    }
    house.learn_all(&mut house.learner().await).await;
    let mut again = house.learner().await;
    assert_eq!(again.step().await.unwrap(), Progress::End, "nothing is learnt twice");
    house.hear("a", Some("d"), None, &json!({"new": 1})).await;
    house.learn_all(&mut again).await;
    let found = reports(&house.store, &Catalog::builtin(), &ReportQuery::default(), 9).await.unwrap().0;
    let (known, report) = &found[0];
    assert_eq!((known.deliveries, known.samples, known.fields), (601, 601, 3));
    assert_eq!(report.findings.len(), 1);
    assert!(report.findings[0].sentence.contains("sample 601 of 601"), "{:?}", report.findings);
    let device = house.store.device("s".to_owned(), "d".to_owned()).await.unwrap().unwrap();
    assert_eq!(device.key.deliveries, 601);
}

#[tokio::test]
async fn two_learners_count_nothing_twice() {
    let house = house(SilenceAfter::Off).await;
    let (mut one, mut other) = (house.learner().await, house.learner().await);
    for _ in 0..3 {
        house.hear("a", None, None, &json!({})).await;
    }
    house.learn_all(&mut one).await;
    house.learn_all(&mut other).await;
    assert_eq!(house.store.drift_types().await.unwrap()[0].deliveries, 3);
}

#[tokio::test]
async fn what_was_written_before_a_crash_is_not_counted_again() {
    let house = house(SilenceAfter::Off).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let delivery = house.hear("a", Some("d"), None, &json!({"n": 1})).await;
        let seq = house.newest.load(Ordering::Relaxed);
        let event_type = Some("a".to_owned());
        let received_at = house.clock.now();
        seen.push((seq, Seen { delivery, received_at, event_at: None, event_type, name: None }));
        house.clock.advance(MINUTE);
    }
    let first = SeenIn { delivery: seen[0].1.delivery, at: seen[0].1.received_at, sample: 1 };
    let types = vec![TypeLearnt {
        source: "s".to_owned(),
        event_type: "a".to_owned(),
        deliveries: 2,
        refused: 0,
        samples: 2,
        is_cut: false,
        first,
        last_seen: seen[1].1.received_at,
        through: seen[1].0,
        after: 0,
        fields: Vec::new(),
    }];
    let last = seen[2].0;
    let entity = SeenEntity { source: "s".to_owned(), entity: "d".to_owned(), rule: SilenceAfter::Off, seen };
    let part = Learnt { types, entities: vec![entity], ..Learnt::default() };
    assert!(house.store.learn(part).await.unwrap());
    house.learn_all(&mut house.learner().await).await;
    let known = house.store.drift_types().await.unwrap();
    assert_eq!((known[0].deliveries, known[0].samples, known[0].through), (3, 3, last));
    let device = house.store.device("s".to_owned(), "d".to_owned()).await.unwrap().unwrap();
    assert_eq!(device.key.deliveries, 3);
}

#[tokio::test]
async fn a_type_of_too_many_fields_is_cut_and_a_well_known_one_is_sampled() {
    let house = house(SilenceAfter::Off).await;
    for part in 0..3 {
        let many: serde_json::Map<String, Value> =
            (0..900).map(|n| (format!("k{part}x{n}"), json!(n))).collect();
        house.hear("wide", None, None, &many.into()).await;
    }
    for n in 0..1_100 {
        house.hear("busy", None, None, &json!({"n": n})).await;
    }
    house.learn_all(&mut house.learner().await).await;
    let known = house.store.drift_types().await.unwrap();
    assert_eq!((known[0].deliveries, known[0].samples, known[0].is_cut), (1_100, 1_005, false));
    assert_eq!((known[1].fields, known[1].is_cut), (2_000, true));
    let before = known[1].samples;
    for n in 0..40 {
        house.hear("wide", None, None, &json!({"k0x0": n})).await;
    }
    house.learn_all(&mut house.learner().await).await;
    let known = house.store.drift_types().await.unwrap();
    assert_eq!((known[1].deliveries, known[1].samples - before), (43, 17 + 1), "up to 20, and the 40th");
}

#[tokio::test]
async fn entities_are_listed_in_pages_in_both_orders() {
    let house = house(SilenceAfter::Off).await;
    for n in 0..25 {
        house.hear_device(&format!("Dev{n:02}")).await;
        if n % 5 == 0 {
            house.clock.advance(MINUTE);
        }
    }
    house.learn_all(&mut house.learner().await).await;
    for order in [EntityOrder::Recent, EntityOrder::Silence, EntityOrder::Trouble] {
        let mut query = EntityQuery { order, ..EntityQuery::default() };
        let mut all = Vec::new();
        loop {
            let page = house.store.entities(query.clone(), 10).await.unwrap();
            all.extend(page.devices.into_iter().map(|device| device.key.entity));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        let mut expected: Vec<String> = (0..25).map(|n| format!("Dev{n:02}")).collect();
        if order != EntityOrder::Silence {
            expected.reverse();
        }
        assert_eq!(all, expected, "{order:?}");
    }
    let query =
        EntityQuery { q: Some("dEV1".to_owned()), source: Some("s".to_owned()), ..EntityQuery::default() };
    assert_eq!(house.store.entities(query, 50).await.unwrap().devices.len(), 10);
    let query = EntityQuery { source: Some("other".to_owned()), ..EntityQuery::default() };
    assert_eq!(house.store.entities(query, 50).await.unwrap().devices.len(), 0);
    assert_eq!(house.store.learner_state().await.unwrap().entities, 25);
    drop(house.folder);
}
