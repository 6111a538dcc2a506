//! Claims of many lanes and long queues, and lanes that disappear.

use super::*;
use crate::domain::ClaimedMessage;

fn ordered(limit: u32) -> Vec<Lane> {
    vec![Lane { ordered: true, limit, ..lane("a") }]
}

impl Case {
    async fn publish_in_order(&self, id: &str, entity: &str) {
        let to = vec![NewMessage { subscription: "a".into(), in_order: Some(entity.into()) }];
        self.store.publish(event(id), [1; 32], to, self.clock.both()).await.unwrap();
    }

    async fn end(&self, message: &ClaimedMessage, next: Next) {
        let settlement = Settlement {
            seq: message.seq,
            id: message.id,
            claim: message.claim,
            subscription: "a".to_owned(),
            attempt: None,
            next,
            at: self.clock.both(),
        };
        self.store.settle(Arc::new(vec![settlement])).await.unwrap();
    }
}

fn ids(due: &Due) -> Vec<&str> {
    due.messages.iter().filter_map(|message| message.event.event_id.as_deref()).collect()
}

fn to_fallback() -> Next {
    Next::Fallback { target: "b".into(), primary_error: "HTTP 500".into(), in_order: None }
}

#[tokio::test]
async fn a_claim_ends_at_its_limit_and_says_nothing_of_lanes_it_did_not_come_to() {
    let case = open().await;
    let lanes: Vec<String> = (0..70).map(|at| format!("s{at}")).collect();
    for id in &lanes {
        case.put(id, true).await;
    }
    let targets: Vec<&str> = lanes.iter().map(String::as_str).collect();
    for at in 0..10 {
        case.publish(&format!("e{at}"), &targets).await;
    }
    let asked = || targets.iter().map(|id| Lane { limit: 11, ..lane(id) }).collect::<Vec<_>>();
    let due = case.claim(asked()).await;
    assert_eq!(due.messages.len(), 512);
    assert_eq!(due.rests.len(), 51, "each that was emptied; one has more, the others were not asked");
    let again = case.claim(asked()).await;
    assert_eq!(again.messages.len(), 700 - 512);
    assert_eq!(again.rests.len(), 70);
    assert!(again.rests.iter().all(|(_, until)| *until == Timestamp::MAX));
}

#[tokio::test]
async fn an_event_of_many_messages_is_read_once() {
    let case = open().await;
    case.publish("e1", &["a", "b"]).await;
    let due = case.claim(vec![lane("a"), lane("b")]).await;
    assert!(Arc::ptr_eq(&due.messages[0].event, &due.messages[1].event));
}

#[tokio::test]
async fn a_long_queue_of_one_entity_is_parked_and_its_next_is_due_when_the_one_before_is_over() {
    let case = open().await;
    for at in 0..1_200 {
        case.publish_in_order(&format!("e{at}"), "d").await;
    }
    case.publish_in_order("other", "x").await;
    let mut first = case.claim(ordered(32)).await.messages.remove(0);
    assert_eq!(first.event.event_id.as_deref(), Some("e0"));
    let (second, third) = (case.claim(ordered(32)).await, case.claim(ordered(32)).await);
    assert!(second.messages.is_empty() && second.rests.is_empty(), "there may be others behind them");
    assert_eq!(ids(&third), ["other"], "who is behind the queue of another goes");
    assert_eq!(third.rests, [("a".to_owned(), case.clock.now().plus(Duration::from_secs(60)))]);
    for at in 0..5 {
        let next = if at % 2 == 0 { Next::Delivered } else { dead("HTTP 500") };
        case.end(&first, next).await;
        let due = case.claim(ordered(32)).await;
        assert_eq!(ids(&due), [format!("e{}", at + 1)]);
        first = due.messages[0].clone();
    }
}

#[tokio::test]
async fn who_waits_for_a_retry_waits_until_it_is_over() {
    let case = open().await;
    for id in ["e1", "e2"] {
        case.publish_in_order(id, "d").await;
    }
    let first = case.claim(ordered(9)).await.messages.remove(0);
    case.settle(&first, 500, Next::Retry(case.clock.now().plus(HOUR))).await;
    case.clock.advance(Duration::from_secs(61));
    assert!(case.claim(ordered(9)).await.messages.is_empty());
    case.clock.advance(HOUR);
    let retried = case.claim(ordered(9)).await.messages.remove(0);
    assert_eq!(retried.id, first.id);
    case.settle(&retried, 500, to_fallback()).await;
    assert_eq!(ids(&case.claim(ordered(9)).await), ["e2"], "the one before left the lane");
}

#[tokio::test]
async fn a_message_goes_on_when_its_fallback_is_removed_before_it_gets_there() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let message = case.claim(vec![lane("a")]).await.messages.remove(0);
    assert_eq!(case.store.delete_subscription("b".into(), case.clock.now()).await.unwrap(), Some(0));
    case.settle(&message, 500, to_fallback()).await;
    let again = case.claim(vec![lane("a")]).await.messages.remove(0);
    assert_eq!((again.id, again.attempts, again.primary_error), (message.id, 1, None));
}

#[tokio::test]
async fn messages_with_a_fallback_are_cancelled_with_their_own_subscription() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let message = case.claim(vec![lane("a")]).await.messages.remove(0);
    case.settle(&message, 500, to_fallback()).await;
    assert_eq!(case.store.delete_subscription("a".into(), case.clock.now()).await.unwrap(), Some(1));
    assert_eq!(case.only().await.status, MessageStatus::Cancelled);
    assert!(case.claim(vec![lane("b")]).await.messages.is_empty());
}

#[tokio::test]
async fn nothing_is_cancelled_while_its_subscription_is_there() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let message = case.claim(vec![lane("a")]).await.messages.remove(0);
    case.end(&message, Next::Cancelled).await;
    assert_eq!(case.only().await.status, MessageStatus::Pending, "it is only out of force");
    assert!(case.claim(vec![lane("a")]).await.messages.is_empty(), "and is not asked for all the time");
    case.clock.advance(Duration::from_secs(60));
    assert_eq!(case.claim(vec![lane("a")]).await.messages.len(), 1);
}

#[tokio::test]
async fn a_lease_that_ended_while_the_program_stood_still_is_kept() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let slept_at = case.clock.now();
    let held = Lane { lease_until: slept_at.plus(Duration::from_secs(60)), ..lane("a") };
    assert_eq!(case.claim(vec![held]).await.messages.len(), 1);
    case.clock.advance(HOUR);
    let (now, revision) = (case.clock.now(), case.revision().await);
    let claim = |leases_ended| LaneClaim { lanes: vec![lane("a")], now, leases_ended, revision };
    let kept = case.store.claim_due(claim(slept_at)).await.unwrap();
    assert_eq!((kept.messages.len(), kept.has_freed), (0, false));
    let freed = case.store.claim_due(claim(case.clock.now())).await.unwrap();
    assert_eq!((freed.messages.len(), freed.has_freed), (1, true));
}

#[tokio::test]
async fn what_is_claimed_is_listed_as_being_sent_and_does_not_count_as_waiting() {
    let case = open().await;
    for id in ["e1", "e2", "e3"] {
        case.publish(id, &["a"]).await;
    }
    let claimed = case.claim(vec![Lane { limit: 1, ..lane("a") }]).await.messages.remove(0);
    let listed = async |subscription: Option<&str>, status| {
        let filter =
            MessageFilter { subscription: subscription.map(str::to_owned), status, ..Default::default() };
        case.store.messages(filter, None, 9).await.unwrap()
    };
    for subscription in [None, Some("a")] {
        let sending = listed(subscription, Some(MessageStatus::Sending)).await;
        assert_eq!(
            sending.iter().map(|row| (row.id, row.next_attempt_at)).collect::<Vec<_>>(),
            [(claimed.id, None)]
        );
        assert_eq!(listed(subscription, Some(MessageStatus::Pending)).await.len(), 2);
        let statuses: Vec<_> = listed(subscription, None).await.iter().map(|row| row.status).collect();
        assert_eq!(statuses, [MessageStatus::Pending, MessageStatus::Pending, MessageStatus::Sending]);
    }
    assert!(listed(Some("b"), Some(MessageStatus::Sending)).await.is_empty());
    assert_eq!(case.store.message(claimed.id).await.unwrap().unwrap().row.status, MessageStatus::Sending);
    let figures = case.store.sender_figures().await.unwrap().remove(0);
    assert_eq!((figures.subscription.as_str(), figures.pending), ("a", 2));
    case.store.park_subscription("a".into(), case.clock.now()).await.unwrap();
    assert_eq!(listed(Some("a"), Some(MessageStatus::Parked)).await.len(), 2);
    assert_eq!(listed(Some("a"), Some(MessageStatus::Sending)).await.len(), 1);
    assert_eq!(
        case.store.move_parked(vec![claimed.seq], "b".into(), case.clock.both()).await.unwrap(),
        [0; 0]
    );
}

#[tokio::test]
async fn an_old_outcome_does_not_end_a_message_that_was_cancelled_and_sent_again() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let first = case.claim(vec![lane("a")]).await.messages.remove(0);
    let now = case.clock.both();
    assert!(case.store.send_now(vec![first.seq], now).await.unwrap().is_empty(), "it is being sent");
    assert_eq!(case.store.cancel_messages(vec![first.seq], now).await.unwrap(), [first.seq]);
    assert_eq!(case.store.send_now(vec![first.seq], now).await.unwrap().len(), 1);
    let second = case.claim(vec![lane("a")]).await.messages.remove(0);
    assert_eq!(second.id, first.id);
    case.settle(&first, 500, dead("HTTP 500")).await;
    assert_eq!(case.only().await.status, MessageStatus::Sending);
    assert!(case.claim(vec![lane("a")]).await.messages.is_empty(), "the second claim is in force");
    case.settle(&second, 200, Next::Delivered).await;
    assert_eq!(case.only().await.status, MessageStatus::Delivered);
}

#[tokio::test]
async fn what_was_being_sent_when_the_sender_ended_is_due_when_it_starts_again() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let first = case.claim(vec![lane("a")]).await.messages.remove(0);
    assert_eq!(case.store.recover_messages(case.clock.both(), Duration::from_secs(3)).await.unwrap(), 1);
    assert_eq!(case.claim(vec![lane("a")]).await.messages.remove(0).id, first.id);
}
