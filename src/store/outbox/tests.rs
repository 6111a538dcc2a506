//! What every store promises about the outbox.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::domain::{Attempt, Clock, ManualClock, MessageStatus, SubscriptionOrigin};
use crate::domain::{DeadLetter, MessageFilter, MessageId, MessageRow, Now, OutgoingEvent, Timestamp};
use crate::store::tests::place_in;
use crate::store::{Lane, LaneBatch, LaneRate, Next, Place, Retention, StoreOptions};
use crate::store::{Store, StoreError};

mod bounded;
mod claims;
mod clock;
mod letters;
mod nodes;
mod parked;
mod sharing;
mod sqlite_only;

const HOUR: Duration = Duration::from_secs(3_600);

struct Case {
    store: Store,
    clock: Arc<ManualClock>,
    options: StoreOptions,
    _folder: tempfile::TempDir,
}

async fn open() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let options = StoreOptions {
        place: place_in(folder.path()).await,
        clock: Arc::<ManualClock>::clone(&clock),
        retention: Retention {
            keep_deliveries: HOUR,
            keep_rejected: HOUR,
            keep_captured: 10,
            keep_event_ids: HOUR,
            keep_messages: HOUR,
            keep_dead_letters: 3 * HOUR,
            max_size: 1 << 30,
            max_refused: 1 << 30,
        },
        queue: 1000,
        queue_bytes: 64 << 20,
        workers: crate::telemetry::Workers::default(),
        metrics: crate::telemetry::StoreMetrics::default(),
    };
    let case = Case { store: Store::open(options.clone()).await.unwrap(), clock, options, _folder: folder };
    for id in ["a", "b"] {
        case.put(id, true).await;
    }
    case
}

fn event(id: &str) -> OutgoingEvent {
    OutgoingEvent {
        source: "published".into(),
        event_id: Some(id.into()),
        event_type: "user.login".into(),
        entity: None,
        received_at: Timestamp::from_secs(1_800_000_000),
        body: Bytes::from_static(b"{\"event\":\"user.login\"}"),
        delivery: None,
        lineage: vec!["z".into()],
    }
}

fn to(subscriptions: &[&str]) -> Vec<NewMessage> {
    let message = |id: &&str| NewMessage { subscription: (*id).to_owned(), in_order: None };
    subscriptions.iter().map(message).collect()
}

fn lane(target: &str) -> Lane {
    Lane {
        target: target.into(),
        limit: 10,
        batch: None,
        ordered: false,
        rate: None,
        lease_until: Timestamp::from_secs(1_800_000_000).plus(100 * HOUR),
    }
}

impl Case {
    async fn put(&self, id: &str, enabled: bool) -> SubscriptionRecord {
        let now = self.clock.now();
        let record = SubscriptionRecord {
            id: id.into(),
            origin: SubscriptionOrigin::Api,
            document: "{}".into(),
            enabled,
            disabled_reason: None,
            created_at: now,
            updated_at: now,
            since: 0,
            parked_since: None,
        };
        self.store.put_subscription(record).await.unwrap()
    }

    async fn publish(&self, id: &str, subscriptions: &[&str]) -> Published {
        self.store.publish(event(id), [1; 32], to(subscriptions), self.clock.both()).await.unwrap()
    }

    async fn revision(&self) -> i64 {
        self.store.news().await.unwrap().revision
    }

    async fn claim(&self, lanes: Vec<Lane>) -> Due {
        let now = self.clock.now();
        let revision = self.revision().await;
        self.store.claim_due(LaneClaim { lanes, now, leases_ended: now, revision }).await.unwrap()
    }

    fn settlement(&self, message: &crate::domain::ClaimedMessage, status: u16, next: Next) -> Settlement {
        let attempt = Attempt {
            number: message.attempts + 1,
            target: message.target.clone(),
            started_at: self.clock.now(),
            duration_us: 2_000,
            status: Some(status),
            error: None,
            error_detail: None,
            response_headers: vec![("X-A".into(), "b".into())],
            response_body: Bytes::from_static(b"\xffno"),
            response_truncated: false,
            missing: vec!["user.id".into()],
        };
        Settlement {
            seq: message.seq,
            id: message.id,
            claim: message.claim,
            subscription: message.subscription.clone(),
            attempt: Some(attempt),
            next,
            at: self.clock.both(),
        }
    }

    async fn settle(&self, message: &crate::domain::ClaimedMessage, status: u16, next: Next) {
        let settlement = self.settlement(message, status, next);
        self.store.settle(Arc::new(vec![settlement])).await.unwrap();
    }

    async fn only(&self) -> MessageRow {
        let rows = self.store.messages(MessageFilter::default(), None, 10).await.unwrap();
        assert_eq!(rows.len(), 1);
        rows.into_iter().next().unwrap()
    }
}

fn dead(error: &str) -> Next {
    Next::Dead {
        url: "http://e/".into(),
        payload: Bytes::from_static(b"{}"),
        error: error.into(),
        primary_error: None,
        fallback_error: None,
    }
}

#[tokio::test]
async fn an_event_leads_to_one_message_a_subscription_and_is_published_once() {
    let case = open().await;
    assert_eq!(case.publish("e1", &["a", "b"]).await, Published::New(2));
    assert_eq!(case.publish("e1", &["a", "b"]).await, Published::Again);
    let other = case.store.publish(event("e1"), [2; 32], to(&["a"]), case.clock.both()).await.unwrap();
    assert_eq!(other, Published::Conflict);
    let mut again = event("e1");
    again.source = "tagorun".into();
    let fan_out = FanOut {
        revision: case.revision().await,
        from: 0,
        through: 5,
        events: vec![(again, to(&["a", "b"]))],
    };
    assert_eq!(case.store.fan_out(fan_out.clone(), case.clock.both()).await.unwrap(), Some(0));
    assert_eq!(case.store.fanout_cursor().await.unwrap(), 5);
    let mut late = fan_out;
    late.events = vec![(event("e2"), to(&["a"]))];
    assert_eq!(case.store.fan_out(late, case.clock.both()).await.unwrap(), None, "the cursor had moved");
    assert_eq!(case.store.messages(MessageFilter::default(), None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_claimed_message_is_nobody_elses_until_its_lease_ends() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let held = Lane { lease_until: case.clock.now().plus(HOUR), ..lane("a") };
    let due = case.claim(vec![held]).await;
    assert_eq!(due.messages.len(), 1);
    assert_eq!(*due.messages[0].event, event("e1"));
    assert!(case.claim(vec![lane("a")]).await.messages.is_empty());
    assert_eq!(case.only().await.status, MessageStatus::Sending);
    case.clock.advance(HOUR + Duration::from_secs(1));
    let again = case.claim(vec![lane("a")]).await;
    assert_eq!(again.messages[0].id, due.messages[0].id);
}

#[tokio::test]
async fn rt_02_after_a_restart_what_was_claimed_is_due_and_an_overdue_retry_comes_within_the_spread() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    case.publish("e2", &["a"]).await;
    let due = case.claim(vec![lane("a")]).await;
    let later = case.clock.now().plus(Duration::from_secs(60));
    case.settle(&due.messages[0], 500, Next::Retry(later)).await;
    case.store.close().await;
    case.clock.advance(HOUR);
    let store = Store::open(case.options.clone()).await.unwrap();
    let now = case.clock.now();
    let freed = match case.options.place {
        // Its claims end with the process.
        Place::Sqlite(_) => 0,
        Place::Postgres(_) => 1,
    };
    assert_eq!(store.recover_messages(Now::at(now), Duration::from_secs(3)).await.unwrap(), freed);
    let case = Case { store, ..case };
    let due = case.claim(vec![lane("a")]).await.messages;
    assert_eq!(due.iter().map(|message| message.attempts).sum::<u32>(), 1, "one is new, one is the retry");
    assert_eq!(due.len(), 2);
}

#[tokio::test]
async fn attempts_are_appended_and_counted_and_the_message_ends() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let first = case.claim(vec![lane("a")]).await.messages.remove(0);
    case.settle(&first, 500, Next::Retry(case.clock.now())).await;
    let second = case.claim(vec![lane("a")]).await.messages.remove(0);
    assert_eq!((second.id, second.attempts), (first.id, 1));
    case.settle(&second, 200, Next::Delivered).await;
    let StoredMessage { row, event: carried, attempts } =
        case.store.message(first.id).await.unwrap().unwrap();
    assert_eq!((row.status, row.attempts, row.next_attempt_at), (MessageStatus::Delivered, 2, None));
    assert_eq!(carried, event("e1"));
    assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(attempts[0].response_body, Bytes::from_static(b"\xffno"));
    let figures = case.store.sender_figures().await.unwrap().remove(0);
    assert_eq!((figures.attempts, figures.successful, figures.retries, figures.answered), (2, 1, 1, 2));
    assert_eq!(figures.answered_us, 4_000);
    case.clock.advance(HOUR + Duration::from_secs(5));
    case.store.prune().await.unwrap();
    assert!(case.store.message(first.id).await.unwrap().is_none());
}

#[tokio::test]
async fn rt_22_a_dead_letter_that_fails_again_is_back_with_its_new_error_and_all_its_attempts() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let message = case.claim(vec![lane("a")]).await.messages.remove(0);
    case.settle(&message, 500, dead("HTTP 500")).await;
    let letter = case.store.dead_letters(DeadLetterFilter::default(), None, 9).await.unwrap().remove(0);
    assert_eq!((letter.error.as_str(), letter.message.attempts), ("HTTP 500", 1));
    let of_b = DeadLetterFilter { subscription: Some("b".into()), ..DeadLetterFilter::default() };
    assert!(case.store.replay_dead_letters(of_b, 9, case.clock.both()).await.unwrap().is_empty());
    case.clock.advance(Duration::from_secs(10));
    let this = DeadLetterFilter { ids: vec![message.id], ..DeadLetterFilter::default() };
    let replayed = case.store.replay_dead_letters(this.clone(), 9, case.clock.both()).await.unwrap();
    assert_eq!(replayed, [(message.id, "a".to_owned())]);
    let again = case.claim(vec![lane("a")]).await.messages.remove(0);
    assert_eq!((again.attempts, again.attempts_before), (1, 1));
    case.settle(&again, 503, dead("HTTP 503")).await;
    let back = case.store.dead_letters(DeadLetterFilter::default(), None, 9).await.unwrap().remove(0);
    assert_eq!((back.error.as_str(), back.message.attempts), ("HTTP 503", 2));
    assert!(back.failed_at > letter.failed_at);
    assert_eq!(case.store.discard_dead_letters(this.clone(), 9).await.unwrap(), 1);
    assert_eq!(case.store.discard_dead_letters(this, 9).await.unwrap(), 0);
    assert_eq!(case.only().await.status, MessageStatus::Dead);
}

#[tokio::test]
async fn rt_10_messages_of_a_deleted_subscription_are_cancelled_unless_they_arrived() {
    let case = open().await;
    for id in ["e1", "e2", "e3"] {
        case.publish(id, &["a"]).await;
    }
    let mut one = lane("a");
    one.limit = 2;
    let claimed = case.claim(vec![one]).await.messages;
    assert_eq!(case.store.delete_subscription("a".into(), case.clock.now()).await.unwrap(), Some(3));
    case.settle(&claimed[0], 200, Next::Delivered).await;
    case.settle(&claimed[1], 500, Next::Retry(case.clock.now())).await;
    let rows = case.store.messages(MessageFilter::default(), None, 9).await.unwrap();
    let statuses: Vec<&str> = rows.iter().rev().map(|row| row.status.as_str()).collect();
    assert_eq!(statuses, ["delivered", "cancelled", "cancelled"]);
    assert!(case.claim(vec![lane("a")]).await.messages.is_empty());
}

#[tokio::test]
async fn a_batch_waits_for_its_size_or_its_time() {
    let case = open().await;
    let mut batch = lane("a");
    batch.batch = Some(LaneBatch { size: 2, bytes: 1 << 20, flush: Duration::from_secs(5) });
    case.publish("e1", &["a"]).await;
    let due = case.claim(vec![batch.clone()]).await;
    assert_eq!(
        (due.messages.len(), due.rests),
        (0, vec![("a".to_owned(), case.clock.now().plus(Duration::from_secs(5)))])
    );
    case.publish("e2", &["a"]).await;
    assert_eq!(case.claim(vec![batch.clone()]).await.messages.len(), 2);
    case.publish("e3", &["a"]).await;
    case.clock.advance(Duration::from_secs(5));
    assert_eq!(case.claim(vec![batch]).await.messages.len(), 1);
}

#[tokio::test]
async fn in_order_the_next_of_an_entity_waits_for_the_one_before() {
    let case = open().await;
    let about = |entity: &str| vec![NewMessage { subscription: "a".into(), in_order: Some(entity.into()) }];
    for (id, entity) in [("e1", "x"), ("e2", "x"), ("e3", "y")] {
        case.store.publish(event(id), [1; 32], about(entity), case.clock.both()).await.unwrap();
    }
    let mut ordered = lane("a");
    ordered.ordered = true;
    let first = case.claim(vec![ordered.clone()]).await.messages;
    let ids: Vec<_> = first.iter().map(|message| message.event.event_id.clone().unwrap()).collect();
    assert_eq!(ids, ["e1", "e3"]);
    case.settle(&first[0], 500, Next::Retry(case.clock.now().plus(HOUR))).await;
    assert!(case.claim(vec![ordered.clone()]).await.messages.is_empty());
    case.clock.advance(HOUR);
    let retried = case.claim(vec![ordered.clone()]).await.messages.remove(0);
    case.settle(&retried, 500, dead("HTTP 500")).await;
    assert_eq!(case.claim(vec![ordered]).await.messages.len(), 1);
}

#[tokio::test]
async fn notices_are_given_once_by_subscription_and_never_about_notices() {
    let case = open().await;
    for id in ["e1", "e2"] {
        case.publish(id, &["a"]).await;
    }
    let mut notice = event("e3");
    notice.event_type = "message.dead".into();
    case.store.publish(notice, [1; 32], to(&["b"]), case.clock.both()).await.unwrap();
    for message in case.claim(vec![lane("a"), lane("b")]).await.messages {
        case.settle(&message, 500, dead("HTTP 500")).await;
    }
    let told = case.store.unreported_dead_letters(&["message.dead"]).await.unwrap();
    let counts: Vec<_> = told.iter().map(|told| (told.subscription.as_str(), told.count)).collect();
    assert_eq!(counts, [("a", 2), ("b", 0)]);
    for told in told {
        case.store.report_dead_letters(told, None, case.clock.both()).await.unwrap();
    }
    assert!(case.store.unreported_dead_letters(&["message.dead"]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_subscription_that_is_enabled_again_takes_what_comes_from_then_on() {
    let case = open().await;
    assert!(case.store.disable_subscription("a".into(), "gone", case.clock.now()).await.unwrap());
    assert!(!case.store.disable_subscription("a".into(), "gone", case.clock.now()).await.unwrap());
    let records = case.store.subscriptions().await.unwrap();
    assert_eq!((records[0].enabled, records[0].disabled_reason.as_deref()), (false, Some("gone")));
    case.clock.advance(HOUR);
    let back = case.put("a", true).await;
    assert_eq!(back.created_at, records[0].created_at);
}
