//! Replays, their runs, counts of minutes and saved searches.

use super::*;
use crate::domain::{ApiToken, Replay, ReplayId, ReplayRun, ReplaySignature, RunState, RunStep, Scope};
use crate::telemetry::Counted;

fn replay(at: Timestamp, original: DeliveryId, run: Option<ReplayId>) -> Replay {
    Replay {
        id: ReplayId::new_at(at),
        original,
        target: "receiver".to_owned(),
        signature: ReplaySignature::Original,
        is_edited: true,
        run,
        status: Some(599),
        delivery: None,
        message: None,
        error: Some("a\0b".to_owned()),
        answer: Bytes::from_static(b"\x00\xff"),
    }
}

fn run(at: Timestamp, state: RunState) -> ReplayRun {
    ReplayRun {
        id: ReplayId::new_at(at),
        filter: "q=ö".to_owned(),
        target: "https://a.example/".to_owned(),
        signature: ReplaySignature::Fresh,
        is_newest_first: true,
        per_second: Some(0.1),
        concurrency: 32,
        stops_on_error: true,
        state,
        why: None,
        total: 3,
        done: 0,
        failed: 0,
        gone: 0,
    }
}

fn minute(minute: i64, source: &str, reason: Option<Reason>, times: &[u64]) -> Minute {
    let mut counted = Counted::default();
    times.iter().for_each(|micros| counted.add(Duration::from_micros(*micros)));
    let verdict = if reason.is_some() { Verdict::Rejected } else { Verdict::Accepted };
    Minute { minute, source: source.to_owned(), verdict, reason, counted }
}

#[tokio::test]
async fn replays_are_listed_newest_first_by_run_and_by_delivery_for_thirty_days() {
    let case = open().await;
    let original = DeliveryId::new_at(case.clock.now());
    let of_run = ReplayId::new_at(case.clock.now());
    let mut ids = Vec::new();
    for n in 0..60_u64 {
        let now = case.clock.wall().plus(Duration::from_millis(n));
        let replay = replay(now, original, (n % 2 == 0).then_some(of_run));
        ids.push(replay.id);
        case.store.add_replay(replay, now).await.unwrap();
    }
    ids.reverse();
    let listed = |found: Vec<Replay>| found.into_iter().map(|replay| replay.id).collect::<Vec<_>>();
    let store = &case.store;
    assert_eq!(listed(store.replays(None, None, 3).await.unwrap()), ids[..3]);
    assert_eq!(listed(store.replays(None, Some(ids[2]), 100).await.unwrap()), ids[3..]);
    assert_eq!(store.replays(Some(of_run), None, 100).await.unwrap().len(), 30);
    let about = store.replays_about(original).await.unwrap();
    assert!(about.came_by.is_none());
    assert_eq!(listed(about.replays), ids[..50]);
    let one = store.replay(ids[0]).await.unwrap().unwrap();
    assert_eq!((one.status, one.error.as_deref(), &*one.answer), (Some(599), Some("a\0b"), &b"\x00\xff"[..]));
    let made = DeliveryId::new_at(case.clock.now());
    let later = case.clock.wall().plus(31 * DAY);
    store.add_replay(Replay { delivery: Some(made), ..replay(later, original, None) }, later).await.unwrap();
    assert!(store.replays_about(made).await.unwrap().came_by.is_some());
    assert_eq!(
        listed(store.replays(None, None, 100).await.unwrap()).len(),
        51,
        "ten expired ones are removed"
    );
}

#[tokio::test]
async fn a_run_goes_through_its_plan_and_two_hundred_are_kept() {
    let case = open().await;
    let store = &case.store;
    let plan: Vec<_> = (0..2_500).map(|_| DeliveryId::new_at(case.clock.now())).collect();
    let first = run(case.clock.wall(), RunState::Running);
    store.add_run(first.clone(), &plan).await.unwrap();
    store.forget_plans().await.unwrap();
    assert_eq!(store.run(first.id).await.unwrap(), Some(first.clone()));
    let page = store.next_of_run(first.id, None, 1_001).await.unwrap();
    let expected: Vec<_> = (0..).zip(plan.iter().copied()).collect();
    assert_eq!(page, expected[..1_001]);
    assert_eq!(store.next_of_run(first.id, Some(1_000), 9_999).await.unwrap(), expected[1_001..]);
    let now = case.clock.wall();
    store
        .settle_run((first.id, 0), RunStep::Failed, Some(replay(now, plan[0], Some(first.id))), now)
        .await
        .unwrap();
    store.settle_run((first.id, 1), RunStep::Gone, None, now).await.unwrap();
    store.settle_run((first.id, 2), RunStep::Sent, None, now).await.unwrap();
    let found = store.run(first.id).await.unwrap().unwrap();
    assert_eq!((found.done, found.failed, found.gone), (3, 1, 1));
    assert_eq!(store.next_of_run(first.id, None, 1).await.unwrap()[0].0, 3);
    assert_eq!(store.replays(Some(first.id), None, 9).await.unwrap().len(), 1);
    let why = Some("why".to_owned());
    assert!(!store.turn_run(first.id, RunState::Stopped, RunState::Done, None).await.unwrap());
    assert!(store.turn_run(first.id, RunState::Running, RunState::Stopped, why.clone()).await.unwrap());
    assert_eq!(store.run(first.id).await.unwrap().unwrap().why, why);
    assert!(store.running_runs().await.unwrap().is_empty());
    let mut ids = Vec::new();
    for n in 1..=202 {
        let state = if n == 1 { RunState::Running } else { RunState::Done };
        let run = run(now.plus(Duration::from_millis(n)), state);
        ids.push(run.id);
        store.add_run(run, &[]).await.unwrap();
    }
    assert_eq!(store.running_runs().await.unwrap()[0].id, ids[0]);
    ids.reverse();
    let listed: Vec<_> = store.runs(None, 1_000).await.unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(listed, [&ids[..201], &ids[201..]].concat(), "the running one is kept, the first one is not");
    assert_eq!(store.runs(Some(ids[1]), 2).await.unwrap()[0].id, ids[2]);
    store.forget_plans().await.unwrap();
    assert!(store.next_of_run(first.id, None, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn minutes_are_summed_in_order_and_expire() {
    let case = open().await;
    let store = &case.store;
    let added = vec![
        minute(12, "b", None, &[3]),
        minute(10, "ä", None, &[1, 2]),
        minute(10, "Z", Some(Reason::Stale), &[5]),
        minute(10, "Z", Some(Reason::Stale), &[5, 7]),
        minute(10, "a", None, &[9]),
    ];
    store.add_minutes(added.clone()).await.unwrap();
    store.add_minutes(added).await.unwrap();
    let expected = vec![
        minute(10, "Z", Some(Reason::Stale), &[5, 5, 5, 5, 7, 7]),
        minute(10, "a", None, &[9, 9]),
        minute(10, "ä", None, &[1, 1, 2, 2]),
        minute(12, "b", None, &[3, 3]),
    ];
    assert_eq!(store.minutes(10, 13).await.unwrap(), expected);
    assert_eq!(store.minutes(10, 12).await.unwrap(), expected[..3]);
    store.add_minutes(vec![minute(11, "a", None, &[1])]).await.unwrap();
    let slots = store.slot_counts(10, 13, 2).await.unwrap();
    let slots: Vec<_> = slots.iter().map(|slot| (slot.slot, slot.source.as_str(), slot.count)).collect();
    assert_eq!(slots, [(0, "Z", 6), (0, "a", 3), (0, "ä", 4), (1, "b", 2)]);
    store.add_minutes(vec![minute(11 + 8 * 24 * 60, "a", None, &[1])]).await.unwrap();
    assert_eq!(store.minutes(0, 13).await.unwrap().len(), 2, "eight days are kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_that_are_added_at_once_are_all_there() {
    let case = Arc::new(open().await);
    let adding: Vec<_> = (0..40)
        .map(|n| {
            let case = Arc::clone(&case);
            let mut counted =
                vec![minute(10, "a", None, &[n]), minute(10, "b", None, &[n]), minute(11, "a", None, &[n])];
            if n % 2 == 0 {
                counted.reverse();
            }
            tokio::spawn(async move { case.store.add_minutes(counted).await })
        })
        .collect();
    for added in adding {
        added.await.unwrap().unwrap();
    }
    let all: Vec<u64> = (0..40).collect();
    let found = case.store.minutes(10, 12).await.unwrap();
    assert_eq!(
        found,
        [minute(10, "a", None, &all), minute(10, "b", None, &all), minute(11, "a", None, &all)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_searches_are_saved_by_name_and_no_more() {
    let case = Arc::new(open().await);
    let search = |name: &str, query: &str| SavedSearch { name: name.to_owned(), query: query.to_owned() };
    for name in ["b", "ä", "B", "a"] {
        assert!(case.store.save_search(search(name, "q=1")).await.unwrap());
    }
    let names = case.store.saved_searches().await.unwrap();
    assert_eq!(names.iter().map(|saved| saved.name.as_str()).collect::<Vec<_>>(), ["B", "a", "b", "ä"]);
    let saving: Vec<_> = (0..120)
        .map(|n| {
            let (case, search) = (Arc::clone(&case), search(&format!("n{n}"), ""));
            tokio::spawn(async move { case.store.save_search(search).await })
        })
        .collect();
    let mut saved = 4;
    for done in saving {
        saved += usize::from(done.await.unwrap().unwrap());
    }
    assert_eq!((saved, case.store.saved_searches().await.unwrap().len()), (100, 100));
    assert!(case.store.save_search(search("a", "q=2")).await.unwrap(), "one that is there is replaced");
    assert!(!case.store.save_search(search("new", "")).await.unwrap());
    assert!(case.store.remove_search("a".to_owned()).await.unwrap());
    assert!(!case.store.remove_search("a".to_owned()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_found_by_its_digest_until_it_is_revoked() {
    let case = open().await;
    let make = |name: &str, scope, at| ApiToken::make(name, scope, Timestamp::from_secs(at));
    let (secret, first) = make("ci", Scope::Read, 10);
    let (_, second) = make("ci", Scope::Admin, 20);
    assert!(case.store.add_token(first.clone()).await.unwrap());
    assert!(case.store.add_token(second.clone()).await.unwrap());
    assert_eq!(case.store.tokens().await.unwrap(), [second.clone(), first.clone()]);
    assert_eq!(case.store.token(ApiToken::digest(&secret)).await.unwrap(), Some(first.clone()));
    assert_eq!(case.store.token(ApiToken::digest("thk_other")).await.unwrap(), None);

    let used = Timestamp::from_secs(99);
    assert!(first.is_use_new(used));
    case.store.token_used(first.id.clone(), used).await.unwrap();
    let found = case.store.token(first.digest).await.unwrap().unwrap();
    assert_eq!(found.last_used_at, Some(used));
    assert!(!found.is_use_new(Timestamp::from_secs(158)) && found.is_use_new(Timestamp::from_secs(159)));

    assert!(case.store.revoke_token(first.id.clone()).await.unwrap());
    assert!(!case.store.revoke_token(first.id).await.unwrap());
    assert_eq!(case.store.token(first.digest).await.unwrap(), None);
    assert_eq!(case.store.tokens().await.unwrap(), [second]);
}
