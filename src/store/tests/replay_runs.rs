//! Runs of replays: their plan, their progress and their states.

use super::*;
use crate::domain::{ReplayId, ReplayRun, ReplaySignature, RunState, RunStep};

fn run(secs: i64, total: u32) -> ReplayRun {
    ReplayRun {
        id: ReplayId::new_at(Timestamp::from_secs(secs)),
        filter: "verdict=rejected".to_owned(),
        target: "receiver".to_owned(),
        signature: ReplaySignature::Fresh,
        is_newest_first: secs % 2 == 0,
        per_second: Some(2.5),
        concurrency: 4,
        stops_on_error: true,
        state: RunState::Running,
        why: None,
        total,
        done: 0,
        failed: 0,
        gone: 0,
    }
}

#[tokio::test]
async fn a_run_is_planned_settled_and_turned() {
    let case = open().await;
    let store = &case.store;
    let (first, second) = (run(100, 3), run(200, 1));
    let plan: Vec<DeliveryId> = (0..3).map(|at| DeliveryId::new_at(Timestamp::from_secs(at))).collect();
    store.add_run(first.clone(), &plan).await.unwrap();
    store.add_run(second.clone(), &plan[..1]).await.unwrap();
    store.forget_plans().await.unwrap();
    assert_eq!(
        store.next_of_run(first.id, None, 2).await.unwrap(),
        [(0, plan[0]), (1, plan[1])],
        "both have a run"
    );
    assert_eq!(store.next_of_run(first.id, Some(1), 2).await.unwrap(), [(2, plan[2])]);

    let now = case.clock.now();
    for step in [RunStep::Failed, RunStep::Gone] {
        // The second time it is not in the plan any more.
        store.settle_run((first.id, 0), step, None, now).await.unwrap();
    }
    store.settle_run((first.id, 1), RunStep::Sent, None, now).await.unwrap();
    let why = Some("by hand".to_owned());
    let turn = |from, to| store.turn_run(first.id, from, to, why.clone());
    assert!(!turn(RunState::Done, RunState::Running).await.unwrap());
    assert!(turn(RunState::Running, RunState::Stopped).await.unwrap());
    let stopped = ReplayRun {
        state: RunState::Stopped,
        why: why.clone(),
        done: 2,
        failed: 1,
        gone: 1,
        ..first.clone()
    };
    assert_eq!(store.run(first.id).await.unwrap().as_ref(), Some(&stopped));
    assert_eq!(store.next_of_run(first.id, None, 9).await.unwrap(), [(2, plan[2])]);
    assert_eq!(store.running_runs().await.unwrap(), std::slice::from_ref(&second));
    assert_eq!(store.runs(None, 9).await.unwrap(), [second.clone(), stopped.clone()]);
    assert_eq!(store.runs(Some(second.id), 9).await.unwrap(), [stopped]);
    assert_eq!(store.runs(None, 1).await.unwrap(), [second]);
}

#[tokio::test]
async fn the_oldest_runs_make_room_except_those_that_are_running() {
    let case = open().await;
    let running = run(1, 0);
    case.store.add_run(running.clone(), &[]).await.unwrap();
    for secs in 2..=203 {
        case.store.add_run(ReplayRun { state: RunState::Done, ..run(secs, 0) }, &[]).await.unwrap();
    }
    let kept = case.store.runs(None, 999).await.unwrap();
    assert_eq!(kept.last(), Some(&running));
    // The newest 200, the one that bounds them, and the one that is running.
    assert_eq!(kept.len(), 202);
}
