//! Pins against retention.

use super::*;
use crate::domain::{Marks, MarksChange};
use crate::store::Marked;

#[tokio::test]
async fn what_is_pinned_survives_every_retention_until_it_is_unpinned() {
    let case = open_with(|options| options.retention.keep_captured = 2);
    let pin = |is_pinned: bool| MarksChange { is_pinned: Some(is_pinned), ..MarksChange::default() };
    let first = case.entry(Decision::Capture(200));
    let id = first.delivery.id;
    case.put(first).await;
    assert_eq!(
        case.store.mark(id, pin(true)).await.unwrap(),
        Marked::Done(Marks { is_pinned: true, ..Marks::default() })
    );
    // A second time changes nothing, in the totals too.
    case.store.mark(id, pin(true)).await.unwrap();
    for _ in 0..5 {
        case.put(case.entry(Decision::Capture(200))).await;
    }
    let aged = case.with_id("evt_1", 1);
    let old = aged.delivery.id;
    case.put(aged).await;
    case.store.mark(old, pin(true)).await.unwrap();
    case.clock.advance(31 * DAY);
    case.store.prune().await.unwrap();
    let left = case.store.list(&DeliveryFilter::default(), None, 10).await.unwrap();
    let pinned: Vec<_> = left.iter().filter(|row| row.marks.is_pinned).map(|row| row.id).collect();
    assert_eq!((left.len(), pinned), (4, vec![old, id]), "two captured ones beside those that are pinned");
    case.store.mark(id, pin(false)).await.unwrap();
    case.store.mark(old, pin(false)).await.unwrap();
    case.store.prune().await.unwrap();
    let left = case.store.list(&DeliveryFilter::default(), None, 10).await.unwrap();
    assert!(left.len() == 2 && left.iter().all(|row| row.id != id && row.id != old), "{left:?}");
    assert_eq!(case.store.mark(id, pin(true)).await.unwrap(), Marked::NoDelivery);
}
