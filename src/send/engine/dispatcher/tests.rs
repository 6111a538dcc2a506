//! The work that subscriptions cost while they wait.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::catalog::Catalog;
use crate::config::{Sealer, SecretResolver};
use crate::domain::ManualClock;
use crate::payload::Sources;
use crate::send::{Client, SenderParts, TargetGuard};
use crate::store::{Place, Retention, Store, StoreOptions};

const HOUR: Duration = Duration::from_secs(3_600);
/// More than one claim asks at once.
const WAITING: usize = 300;

struct Case {
    dispatcher: Dispatcher,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Case {
    /// A dispatcher with one subscription to `user.login` and many others.
    async fn start() -> (Self, String) {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
        let options = StoreOptions {
            place: Place::Sqlite(folder.path().join("t.db")),
            clock: Arc::<ManualClock>::clone(&clock),
            retention: Retention {
                keep_deliveries: HOUR,
                keep_rejected: HOUR,
                keep_captured: 100,
                keep_event_ids: HOUR,
                keep_messages: HOUR,
                keep_dead_letters: HOUR,
                max_size: 1 << 30,
                max_refused: 1 << 28,
            },
            queue: 1_000,
            queue_bytes: 1 << 26,
            workers: crate::telemetry::Workers::default(),
            metrics: crate::telemetry::StoreMetrics::default(),
        };
        let guard = TargetGuard::new(false);
        let sender = Sender::new(SenderParts {
            store: Store::open(options).await.unwrap(),
            catalog: Arc::new(Catalog::builtin()),
            clock: Arc::<ManualClock>::clone(&clock),
            metrics: Arc::default(),
            guard,
            client: Client::new(guard).unwrap(),
            sources: Sources::new(Vec::new(), 1 << 20),
            secrets: SecretResolver::new("/".into(), &[]),
            sealer: Sealer::new(&[7; 32]),
            lease: HOUR,
            health_interval: HOUR,
            connections: 100,
        });
        sender.load(&[]).await.unwrap();
        let subscribe = async |event: &str| {
            let document = json!({
                "name": "n", "url": "http://127.0.0.1:9/", "events": [event], "signature": {"scheme": "none"},
            });
            sender.create(&document.to_string()).await.unwrap().active.compiled.id().to_owned()
        };
        for _ in 0..WAITING {
            subscribe("user.logout").await;
        }
        let working = subscribe("user.login").await;
        let dispatcher = Dispatcher::new(sender, unbounded_channel().0, unbounded_channel());
        (Self { dispatcher, clock, _folder: folder }, working)
    }

    /// Lets the dispatcher claim until it has nothing to ask; returns how many lanes each claim asked.
    async fn asked(&mut self) -> Vec<usize> {
        let mut asked = Vec::new();
        while let Some(claim) = self.dispatcher.next_claim().await.unwrap() {
            asked.push(claim.lanes.len());
            let since = claim.now;
            let due = self.dispatcher.sender.store().claim_due(claim).await;
            self.dispatcher.take_claimed(since, due).await;
        }
        asked
    }
}

#[tokio::test]
async fn an_event_costs_one_question_however_many_other_subscriptions_wait() {
    let (mut case, working) = Case::start().await;
    let sender = case.dispatcher.sender.clone();
    // All of them are new.
    case.dispatcher.hear(sender.wakeups().take());
    assert_eq!(case.asked().await.iter().sum::<usize>(), WAITING + 1);
    assert_eq!(case.dispatcher.lanes.awake().count(), 0);
    assert_eq!(case.asked().await, [0; 0]);
    for id in ["e1", "e2"] {
        let body = json!({"id": id, "event": "user.login", "timestamp": "2026-01-01T00:00:00Z"}).to_string();
        assert_eq!(sender.publish(&Bytes::from(body)).await.unwrap().messages, 1);
        case.dispatcher.hear(sender.wakeups().take());
        // The second question says that nothing else is due.
        assert!(case.asked().await.iter().all(|lanes| *lanes == 1));
        let awake = case.dispatcher.lanes.awake_ids();
        assert_eq!(awake.iter().collect::<Vec<_>>(), [&working]);
    }
}

#[tokio::test]
async fn in_case_something_was_missed_all_lanes_are_asked_in_turn() {
    let (mut case, _) = Case::start().await;
    let sender = case.dispatcher.sender.clone();
    case.dispatcher.hear(sender.wakeups().take());
    assert_eq!(case.asked().await.iter().sum::<usize>(), WAITING + 1);
    // Those of one claim, then the others; then again from the first one.
    for lanes in [256, WAITING + 1 - 256, 256] {
        case.clock.advance(IDLE + Duration::from_secs(1));
        assert_eq!(case.asked().await.iter().sum::<usize>(), lanes);
    }
}
