//! Deliveries of another instance.

use super::*;
use crate::domain::Imported;

#[tokio::test]
async fn an_imported_delivery_is_kept_as_it_was_and_claims_nothing() {
    let case = open().await;
    let first = DeliveryId::new_at(case.clock.now());
    for (verdict, reason, status) in [
        (Verdict::Accepted, None, 200),
        (Verdict::Duplicate, None, 200),
        (Verdict::Rejected, Some(Reason::IdConflict), 409),
        (Verdict::Captured, None, 503),
        (Verdict::Handshake, None, 200),
    ] {
        let duration = Duration::from_micros(1_234);
        let imported = Imported { verdict, reason, status, duration, duplicate_of: Some(first.imported()) };
        let mut entry = case.entry(Decision::Import(imported));
        let id = entry.delivery.id.imported();
        entry.delivery.id = id;
        // Another day than that of the clock.
        entry.delivery.received_at = case.clock.wall().minus(2 * DAY);
        entry.facts.event_id = Some("a".into());
        let (headers, body, checks) =
            (entry.delivery.headers.clone(), entry.delivery.body.clone(), entry.checks.clone());
        assert_eq!(case.put(entry).await, Appended::New);
        let kept = case.store.delivery(id).await.unwrap().unwrap();
        assert_eq!((kept.row.verdict, kept.row.reason, kept.row.status), (verdict, reason, status));
        assert_eq!((kept.row.duration_us, kept.row.duplicate_of), (1_234, Some(first.imported())));
        assert_eq!(kept.row.received_at, case.clock.wall().minus(2 * DAY));
        assert_eq!((kept.headers, kept.body, kept.checks), (headers, body, checks), "{verdict:?}");
        assert!(kept.row.id.is_imported());
    }
    assert_eq!(case.store.total(None).await.unwrap(), 5);
    assert!(is_new(&case.put(case.with_id("a", 1)).await));
    case.store.close().await;
}
