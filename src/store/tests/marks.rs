//! Pins against retention.

use super::*;
use crate::domain::{Marks, MarksChange};
use crate::store::Marked;

#[tokio::test]
async fn what_is_pinned_survives_every_retention_until_it_is_unpinned() {
    let case = open_with(|options| options.retention.keep_captured = 2).await;
    let pin = |is_pinned: bool| MarksChange { is_pinned: Some(is_pinned), ..MarksChange::default() };
    let first = case.entry(Decision::Capture(200));
    let id = first.delivery.id;
    case.put(first).await;
    assert_eq!(
        case.store.mark(id, pin(true), 1 << 20).await.unwrap(),
        Marked::Done(Marks { is_pinned: true, ..Marks::default() })
    );
    // A second call changes nothing, not even the totals.
    case.store.mark(id, pin(true), 1 << 20).await.unwrap();
    for _ in 0..5 {
        case.put(case.entry(Decision::Capture(200))).await;
    }
    let aged = case.with_id("evt_1", 1);
    let old = aged.delivery.id;
    case.put(aged).await;
    case.store.mark(old, pin(true), 1 << 20).await.unwrap();
    case.clock.advance(31 * DAY);
    case.store.prune().await.unwrap();
    let left = case.store.list(&DeliveryFilter::default(), None, 10).await.unwrap();
    let pinned: Vec<_> = left.iter().filter(|row| row.marks.is_pinned).map(|row| row.id).collect();
    assert_eq!((left.len(), pinned), (4, vec![old, id]), "two captured ones beside those that are pinned");
    case.store.mark(id, pin(false), 1 << 20).await.unwrap();
    case.store.mark(old, pin(false), 1 << 20).await.unwrap();
    case.store.prune().await.unwrap();
    let left = case.store.list(&DeliveryFilter::default(), None, 10).await.unwrap();
    assert!(left.len() == 2 && left.iter().all(|row| row.id != id && row.id != old), "{left:?}");
    assert_eq!(case.store.mark(id, pin(true), 1 << 20).await.unwrap(), Marked::NoDelivery);
}

#[tokio::test]
async fn pins_leave_room_for_what_comes_and_can_be_taken_off_a_full_store() {
    let case = open_with(|options| options.retention.max_size = 1_500_000).await;
    let pin = |is_pinned: bool| MarksChange { is_pinned: Some(is_pinned), ..MarksChange::default() };
    let big = || {
        let mut entry = case.entry(Decision::Accept(None));
        entry.delivery.body = Bytes::from((0..100_000).map(|_| rand::random::<u8>()).collect::<Vec<_>>());
        entry
    };
    let mut pinned = Vec::new();
    loop {
        let entry = big();
        let id = entry.delivery.id;
        case.put(entry).await;
        match case.store.mark(id, pin(true), 375_000).await.unwrap() {
            Marked::Done(_) => pinned.push(id),
            refused => {
                assert_eq!(refused, Marked::TooManyPins);
                break;
            }
        }
    }
    assert!((2..=3).contains(&pinned.len()), "{}", pinned.len());
    for _ in 0..20 {
        let entry = big();
        let id = entry.delivery.id;
        case.put(entry).await;
        case.store.prune().await.unwrap();
        assert!(case.store.delivery(id).await.unwrap().is_some(), "what comes is kept");
    }
    // Only what is pinned stays.
    let mut options = case.options.clone();
    options.retention.max_size = 1;
    case.store.close().await;
    let store = Store::open(options.clone()).await.unwrap();
    store.prune().await.unwrap();
    assert!(store.append(case.entry(Decision::Accept(None))).await.is_err());
    assert!(store.ready().await.is_err());
    assert!(store.size().used > 200_000);
    // The store is smaller than its pins: nothing can be appended, but pins can be removed.
    options.retention.max_size = store.size().used - 100_000;
    store.close().await;
    let store = Store::open(options).await.unwrap();
    store.prune().await.unwrap();
    assert!(store.append(case.entry(Decision::Accept(None))).await.is_err());
    for id in pinned {
        assert_eq!(store.mark(id, pin(false), 0).await.unwrap(), Marked::Done(Marks::default()));
    }
    store.prune().await.unwrap();
    store.append(case.entry(Decision::Accept(None))).await.unwrap();
    store.ready().await.unwrap();
}
