//! Subscriptions that are not in force, and the manual handling of waiting messages.

use super::*;

fn ordered(target: &str) -> Lane {
    Lane { ordered: true, ..lane(target) }
}

fn about(entity: &str) -> Vec<NewMessage> {
    vec![NewMessage { subscription: "a".into(), in_order: Some(entity.into()) }]
}

fn to_fallback() -> Next {
    Next::Fallback { target: "b".into(), primary_error: "HTTP 500".into(), in_order: None }
}

impl Case {
    async fn park(&self, id: &str) -> ParkedRecord {
        self.store.park_subscription(id.into(), self.clock.now()).await.unwrap().unwrap()
    }

    async fn by_status(&self, status: MessageStatus) -> Vec<MessageRow> {
        let filter = MessageFilter { status: Some(status), ..MessageFilter::default() };
        self.store.messages(filter, None, 100).await.unwrap()
    }

    async fn seqs(&self) -> Vec<i64> {
        let rows = self.store.messages(MessageFilter::default(), None, 100).await.unwrap();
        rows.iter().rev().map(|row| row.seq).collect()
    }

    async fn letters(&self) -> Vec<DeadLetter> {
        self.store.dead_letters(DeadLetterFilter::default(), None, 9).await.unwrap()
    }
}

#[tokio::test]
async fn what_waits_for_a_parked_subscription_is_parked_and_goes_on_in_order_when_it_is_back() {
    let case = open().await;
    for id in ["e1", "e2", "e3"] {
        case.store.publish(event(id), [1; 32], about("x"), case.clock.both()).await.unwrap();
    }
    let held = case.claim(vec![ordered("a")]).await.messages.remove(0);
    let parked = case.park("a").await;
    assert_eq!(parked.waiting, 3);
    case.settle(&held, 500, Next::Retry(case.clock.now())).await;
    assert_eq!(case.by_status(MessageStatus::Parked).await.len(), 3);
    assert!(case.by_status(MessageStatus::Pending).await.is_empty());
    let rows = case.store.messages(
        MessageFilter { subscription: Some("a".into()), ..MessageFilter::default() },
        None,
        9,
    );
    assert!(
        rows.await
            .unwrap()
            .iter()
            .all(|row| row.status == MessageStatus::Parked && row.next_attempt_at.is_none())
    );
    let figures = case.store.sender_figures().await.unwrap();
    let own = figures.iter().find(|figures| figures.subscription == "a").unwrap();
    assert_eq!((own.pending, own.parked, own.parked_since), (0, 3, Some(parked.since)));
    case.clock.advance(1000 * HOUR);
    case.store.prune().await.unwrap();
    assert_eq!(case.park("a").await, parked, "it is parked since the first time, and retention took nothing");
    case.put("a", true).await;
    assert!(case.by_status(MessageStatus::Parked).await.is_empty());
    for id in ["e1", "e2", "e3"] {
        let due = case.claim(vec![ordered("a")]).await.messages;
        assert_eq!(due.iter().map(|one| one.event.event_id.clone().unwrap()).collect::<Vec<_>>(), [id]);
        case.settle(&due[0], 200, Next::Delivered).await;
    }
}

#[tokio::test]
async fn a_message_that_was_claimed_when_its_subscription_was_parked_keeps_its_place() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let message = case.claim(vec![lane("a")]).await.messages.remove(0);
    case.park("a").await;
    let settlement = Settlement {
        seq: message.seq,
        id: message.id,
        claim: message.claim,
        subscription: "a".into(),
        attempt: None,
        next: Next::Cancelled,
        at: case.clock.both(),
    };
    case.store.settle(Arc::new(vec![settlement])).await.unwrap();
    assert_eq!(case.only().await.status, MessageStatus::Parked);
    case.put("a", true).await;
    assert_eq!(case.claim(vec![lane("a")]).await.messages.len(), 1, "at once");
}

#[tokio::test]
async fn messages_with_a_fallback_go_home_when_either_is_parked() {
    for parked in ["a", "b"] {
        let case = open().await;
        case.publish("e1", &["a"]).await;
        let message = case.claim(vec![lane("a")]).await.messages.remove(0);
        case.settle(&message, 500, to_fallback()).await;
        case.park(parked).await;
        assert!(case.claim(vec![lane("b")]).await.messages.is_empty(), "{parked}");
        let row = case.only().await;
        assert_eq!(row.target, "a");
        if parked == "a" {
            assert_eq!(row.status, MessageStatus::Parked);
        } else {
            let again = case.claim(vec![lane("a")]).await.messages.remove(0);
            assert_eq!((again.attempts, again.attempts_before, again.primary_error), (1, 1, None));
        }
    }
}

#[tokio::test]
async fn a_message_does_not_go_to_its_fallback_when_either_was_parked_meanwhile() {
    for parked in ["a", "b"] {
        let case = open().await;
        case.publish("e1", &["a"]).await;
        let message = case.claim(vec![lane("a")]).await.messages.remove(0);
        case.park(parked).await;
        case.settle(&message, 500, to_fallback()).await;
        assert_eq!(case.only().await.target, "a", "{parked}");
    }
}

#[tokio::test]
async fn a_dead_letter_of_a_parked_subscription_stays_until_that_is_back() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let message = case.claim(vec![lane("a")]).await.messages.remove(0);
    case.settle(&message, 500, dead("HTTP 500")).await;
    case.park("a").await;
    let all = DeadLetterFilter::default;
    assert!(case.store.replay_dead_letters(all(), 9, case.clock.both()).await.unwrap().is_empty());
    assert_eq!(case.store.stranded_dead_letters(all()).await.unwrap(), [("a".to_owned(), 1)]);
    assert_eq!(case.letters().await.len(), 1);
    case.put("a", true).await;
    assert!(case.store.stranded_dead_letters(all()).await.unwrap().is_empty());
    assert_eq!(case.store.replay_dead_letters(all(), 9, case.clock.both()).await.unwrap().len(), 1);
    assert_eq!(case.only().await.replayed_at, Some(case.clock.now()));
}

#[tokio::test]
async fn send_now_makes_a_retry_due_and_a_cancelled_message_begins_a_new_round() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    let message = case.claim(vec![lane("a")]).await.messages.remove(0);
    case.settle(&message, 500, Next::Retry(case.clock.now().plus(HOUR))).await;
    assert!(case.claim(vec![lane("a")]).await.messages.is_empty());
    let seqs = case.seqs().await;
    let due = case.store.send_now(seqs.clone(), case.clock.both()).await.unwrap();
    assert_eq!(due, [(message.seq, "a".to_owned())]);
    let retried = case.claim(vec![lane("a")]).await.messages.remove(0);
    assert_eq!((retried.attempts, retried.attempts_before), (1, 0));
    assert!(
        case.store.send_now(seqs.clone(), case.clock.both()).await.unwrap().is_empty(),
        "it is being sent"
    );
    case.settle(&retried, 500, Next::Retry(case.clock.now().plus(HOUR))).await;
    assert_eq!(case.store.cancel_messages(seqs.clone(), case.clock.both()).await.unwrap(), seqs);
    assert!(case.store.cancel_messages(seqs.clone(), case.clock.both()).await.unwrap().is_empty());
    assert_eq!(case.only().await.status, MessageStatus::Cancelled);
    assert_eq!(case.store.send_now(seqs, case.clock.both()).await.unwrap().len(), 1);
    let revived = case.claim(vec![lane("a")]).await.messages.remove(0);
    assert_eq!((revived.id, revived.attempts, revived.attempts_before), (message.id, 2, 2));
}

#[tokio::test]
async fn parked_messages_are_not_sent_now_but_can_be_cancelled() {
    let case = open().await;
    case.publish("e1", &["a"]).await;
    case.park("a").await;
    let seqs = case.seqs().await;
    assert!(case.store.send_now(seqs.clone(), case.clock.both()).await.unwrap().is_empty());
    assert_eq!(case.store.cancel_messages(seqs.clone(), case.clock.both()).await.unwrap(), seqs);
    assert!(
        case.store.send_now(seqs, case.clock.both()).await.unwrap().is_empty(),
        "there is nowhere to send it yet"
    );
}

#[tokio::test]
async fn parked_messages_can_be_moved_once_to_a_subscription_that_is_in_force() {
    let case = open().await;
    case.publish("e1", &["a", "b"]).await;
    case.publish("e2", &["a"]).await;
    let now = case.clock.both();
    let seqs = case.seqs().await;
    let moved = async |to: &str| case.store.move_parked(seqs.clone(), to.to_owned(), now).await.unwrap();
    assert!(moved("b").await.is_empty(), "none is parked");
    case.park("a").await;
    assert!(moved("a").await.is_empty() && moved("nowhere").await.is_empty());
    assert_eq!(moved("b").await.len(), 1, "b has a message for e1 already");
    assert!(moved("b").await.is_empty(), "it is not parked any more");
    assert_eq!(case.claim(vec![lane("b")]).await.messages.len(), 2);
    case.put("a", true).await;
    assert_eq!(case.claim(vec![lane("a")]).await.messages.len(), 1, "what was not moved is still its own");
}

#[tokio::test]
async fn in_order_send_now_brings_what_is_before_and_cancel_lets_the_next_one_go() {
    let case = open().await;
    for id in ["e1", "e2", "e3"] {
        case.store.publish(event(id), [1; 32], about("x"), case.clock.both()).await.unwrap();
    }
    let first = case.claim(vec![ordered("a")]).await.messages.remove(0);
    case.settle(&first, 500, Next::Retry(case.clock.now().plus(HOUR))).await;
    assert!(case.claim(vec![ordered("a")]).await.messages.is_empty());
    let seqs = case.seqs().await;
    case.store.send_now(vec![seqs[2]], case.clock.both()).await.unwrap();
    let due = case.claim(vec![ordered("a")]).await.messages;
    assert_eq!(due.iter().map(|one| one.seq).collect::<Vec<_>>(), [seqs[0]], "the first one first");
    case.settle(&due[0], 500, Next::Retry(case.clock.now().plus(HOUR))).await;
    assert!(case.claim(vec![ordered("a")]).await.messages.is_empty());
    case.store.cancel_messages(vec![seqs[0]], case.clock.both()).await.unwrap();
    let due = case.claim(vec![ordered("a")]).await.messages;
    assert_eq!(due.iter().map(|one| one.seq).collect::<Vec<_>>(), [seqs[1]]);
}

#[tokio::test]
async fn a_message_that_goes_home_is_in_order_again_where_its_subscription_is_ordered() {
    let case = open().await;
    let mut record = case.put("a", true).await;
    record.document = r#"{"ordered":true}"#.into();
    case.store.put_subscription(record).await.unwrap();
    for id in ["e1", "e2"] {
        let mut event = event(id);
        event.entity = Some("x".into());
        case.store.publish(event, [1; 32], about("x"), case.clock.both()).await.unwrap();
    }
    let first = case.claim(vec![ordered("a")]).await.messages.remove(0);
    case.settle(&first, 500, to_fallback()).await;
    let second = case.claim(vec![ordered("a")]).await.messages.remove(0);
    case.settle(&second, 500, to_fallback()).await;
    case.store.delete_subscription("b".into(), case.clock.now()).await.unwrap();
    let due = case.claim(vec![ordered("a")]).await.messages;
    assert_eq!(due.iter().map(|one| one.seq).collect::<Vec<_>>(), [first.seq]);
}
