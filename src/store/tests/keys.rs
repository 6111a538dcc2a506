//! The keys that make sure an event is accepted only once.

use super::*;

#[tokio::test]
async fn keys_of_points_and_bodies_never_conflict_and_kinds_are_kept_apart() {
    let case = open().await;
    for key in [ClaimKey::Points([7; 32]), ClaimKey::Body([7; 32])] {
        let claim = |digest| {
            Decision::Accept(Some(Claim {
                key: key.clone(),
                also: None,
                body_digest: [digest; 32],
                window: None,
            }))
        };
        assert_eq!(case.put(case.entry(claim(1))).await, Appended::New);
        assert!(matches!(case.put(case.entry(claim(2))).await, Appended::Duplicate { .. }));
    }
}

#[tokio::test]
async fn an_event_is_taken_by_either_of_its_keys() {
    let case = open().await;
    let entry = |ids: u8, values: u8| {
        let also = Some(ClaimKey::Values([values; 32]));
        let claim = Claim { key: ClaimKey::Points([ids; 32]), also, body_digest: [0; 32], window: None };
        case.entry(Decision::Accept(Some(claim)))
    };
    let first = entry(1, 1);
    let first_id = first.delivery.id;
    assert_eq!(case.put(first).await, Appended::New);
    for again in [entry(1, 1), entry(2, 1), entry(1, 2)] {
        let appended = case.put(again).await;
        assert!(matches!(appended, Appended::Duplicate { first, .. } if first == first_id), "{appended:?}");
    }
    assert_eq!(case.put(entry(3, 3)).await, Appended::New);
}
