//! Dead letters of one cause, counted and discarded together.

use super::*;

async fn letters(case: &Case) -> Vec<MessageId> {
    for id in ["e1", "e2", "e3", "e4"] {
        case.publish(id, &["a"]).await;
    }
    let mut wide = lane("a");
    wide.limit = 4;
    let messages = case.claim(vec![wide]).await.messages;
    for (message, error) in messages.iter().zip(["HTTP 500", "HTTP 500", "timeout: 1 s", "HTTP 500"]) {
        case.settle(message, 500, dead(error)).await;
        case.clock.advance(Duration::from_secs(60));
    }
    messages.iter().map(|message| message.id).collect()
}

#[tokio::test]
async fn dead_letters_are_counted_by_subscription_and_error_with_the_first_and_last_time() {
    let case = open().await;
    let begun = case.clock.now();
    letters(&case).await;
    let groups = case.store.dead_letter_groups(DeadLetterFilter::default(), 9).await.unwrap();
    let told: Vec<(&str, u64)> = groups.iter().map(|group| (group.error.as_str(), group.count)).collect();
    assert_eq!(told, [("HTTP 500", 3), ("timeout: 1 s", 1)], "the group that grew last comes first");
    assert!(groups[0].since < groups[0].last && groups[0].since >= begun);
    let of = |error: &str| DeadLetterFilter { error_is: Some(error.into()), ..DeadLetterFilter::default() };
    assert_eq!(case.store.dead_letters(of("HTTP 500"), None, 9).await.unwrap().len(), 3);
    assert!(
        case.store.dead_letters(of("HTTP"), None, 9).await.unwrap().is_empty(),
        "a part is not the error"
    );
    let typed = DeadLetterFilter { event_type: Some("no.such".into()), ..of("HTTP 500") };
    assert!(case.store.dead_letter_groups(typed, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_group_or_some_letters_are_discarded_and_the_others_stay() {
    let case = open().await;
    let ids = letters(&case).await;
    let some = DeadLetterFilter { ids: vec![ids[0], ids[2]], ..DeadLetterFilter::default() };
    assert_eq!(case.store.discard_dead_letters(some, 9).await.unwrap(), 2);
    let group = DeadLetterFilter { error_is: Some("HTTP 500".into()), ..DeadLetterFilter::default() };
    assert_eq!(
        case.store.discard_dead_letters(group.clone(), 1).await.unwrap(),
        1,
        "no more than were asked for"
    );
    assert_eq!(case.store.discard_dead_letters(group, 9).await.unwrap(), 1);
    assert!(case.store.dead_letters(DeadLetterFilter::default(), None, 9).await.unwrap().is_empty());
    let kept = case.store.message(ids[0]).await.unwrap().unwrap();
    assert_eq!((kept.row.status, kept.attempts.len()), (MessageStatus::Dead, 1));
}

#[tokio::test]
async fn the_last_ten_attempts_are_remembered_the_newest_first() {
    let case = open().await;
    letters(&case).await;
    let figures = case.store.sender_figures().await.unwrap().remove(0);
    assert_eq!(figures.recent, [false; 4]);
    for id in 0..11 {
        case.publish(&format!("f{id}"), &["a"]).await;
        let message = case.claim(vec![lane("a")]).await.messages.remove(0);
        let (status, next) = if id == 10 { (500, dead("HTTP 500")) } else { (200, Next::Delivered) };
        case.settle(&message, status, next).await;
    }
    let recent = case.store.sender_figures().await.unwrap().remove(0).recent;
    assert_eq!(recent.len(), 10);
    assert_eq!(recent.iter().position(|arrived| !arrived), Some(0), "{recent:?}");
    assert_eq!(recent.iter().filter(|arrived| **arrived).count(), 9);
}
