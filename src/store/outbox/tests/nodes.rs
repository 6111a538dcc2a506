//! Several nodes on one outbox in PostgreSQL. Only with `TAGOHOOK_TEST_POSTGRES`.

use std::collections::{HashMap, HashSet};

use super::*;
use crate::domain::ClaimedMessage;
use crate::store::{Place, UnreportedLetters};

const SECOND: Duration = Duration::from_secs(1);

/// Another node on the place of the first one, with the same clock; `None` on SQLite.
pub(super) async fn another(first: &Case, name: &str) -> Option<Case> {
    another_at(first, name, Arc::clone(&first.clock)).await
}

/// Another node with its own clock.
pub(super) async fn another_at(first: &Case, name: &str, clock: Arc<ManualClock>) -> Option<Case> {
    let Place::Postgres(place) = &first.options.place else { return None };
    let mut place = place.clone();
    place.node = name.to_owned();
    let place = Place::Postgres(place);
    let options = StoreOptions { place, clock: Arc::<ManualClock>::clone(&clock), ..first.options.clone() };
    Some(Case {
        store: Store::open(options.clone()).await.unwrap(),
        clock,
        options,
        _folder: tempfile::tempdir().unwrap(),
    })
}

/// Two nodes on one place; `None` on SQLite.
pub(super) async fn two() -> Option<[Case; 2]> {
    let first = open().await;
    let second = another(&first, "two").await?;
    Some([first, second])
}

fn wide(limit: u32) -> Lane {
    Lane { limit, ..lane("a") }
}

fn seqs(due: &Due) -> Vec<i64> {
    due.messages.iter().map(|message| message.seq).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_claim_each_of_500_messages_once() {
    let Some([first, second]) = two().await else { return };
    for at in 0..500 {
        first.publish(&format!("e{at}"), &["a"]).await;
    }
    let drain = async |case: &Case| {
        let mut all = Vec::new();
        loop {
            let due = case.claim(vec![wide(7)]).await;
            if due.messages.is_empty() {
                return all;
            }
            all.extend(seqs(&due));
        }
    };
    let (of_first, of_second) = tokio::join!(drain(&first), drain(&second));
    assert!(!of_first.is_empty() && !of_second.is_empty(), "both got some");
    let each: HashSet<i64> = of_first.iter().chain(&of_second).copied().collect();
    assert_eq!((of_first.len() + of_second.len(), each.len()), (500, 500));
    assert!(first.claim(vec![wide(9)]).await.messages.is_empty());
}

/// Claims and settles until nothing is left, and notes for each message when it was claimed and settled.
async fn work(case: &Case, log: &parking_lot::Mutex<Vec<(String, i64, bool)>>) {
    let lane = Lane { ordered: true, ..wide(3) };
    loop {
        let due = case.claim(vec![lane.clone()]).await;
        {
            let mut log = log.lock();
            for message in &due.messages {
                log.push((message.event.entity.clone().unwrap(), message.seq, true));
            }
        }
        if due.messages.is_empty() && due.rests.iter().any(|(_, until)| *until == Timestamp::MAX) {
            return;
        }
        for message in due.messages {
            tokio::task::yield_now().await;
            // Noted before it is settled: the other node may have the next one as soon as that is committed.
            log.lock().push((message.event.entity.clone().unwrap(), message.seq, false));
            case.settle(&message, 200, Next::Delivered).await;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_an_entity_are_sent_one_after_the_other_over_both_nodes() {
    let Some([first, second]) = two().await else { return };
    for at in 0..120 {
        let entity = format!("x{}", at % 4);
        let to = vec![NewMessage { subscription: "a".into(), in_order: Some(entity.clone()) }];
        let event = OutgoingEvent { entity: Some(entity), ..event(&format!("e{at}")) };
        first.store.publish(event, [1; 32], to, first.clock.both()).await.unwrap();
    }
    let log = parking_lot::Mutex::new(Vec::new());
    let both = async { tokio::join!(work(&first, &log), work(&second, &log)) };
    tokio::time::timeout(Duration::from_secs(60), both).await.expect("no message is put off for ever");
    let log = log.into_inner();
    let mut under_way: HashMap<&str, Option<i64>> = HashMap::new();
    let mut last: HashMap<&str, i64> = HashMap::new();
    for (entity, seq, begins) in &log {
        let current = under_way.entry(entity).or_default();
        if *begins {
            assert_eq!(*current, None, "{entity}: {seq} while another one is under way");
            assert!(last.insert(entity, *seq).is_none_or(|before| before < *seq), "{entity}: out of order");
            *current = Some(*seq);
        } else {
            *current = None;
        }
    }
    assert_eq!(log.len(), 240);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_of_50_a_window_is_kept_over_both_nodes() {
    let Some([first, second]) = two().await else { return };
    for at in 0..300 {
        first.publish(&format!("e{at}"), &["a"]).await;
    }
    let rate = LaneRate { requests: 50, window: 10 * SECOND, arrival: 3 * SECOND };
    let rated = Lane { rate: Some(rate), ..wide(40) };
    // By the server's clock: it goes on while the test runs.
    let began = std::time::Instant::now();
    let server = || first.clock.now().plus(began.elapsed());
    let mut sent: Vec<(Timestamp, usize)> = Vec::new();
    let mut most = 0;
    for step in 0..40 {
        let (now, before) = (first.clock.now(), server());
        let (one, other) = tokio::join!(first.claim(vec![rated.clone()]), second.claim(vec![rated.clone()]));
        for due in [&one, &other] {
            for (_, until) in &due.rests {
                assert!(*until > now, "a lane without a permit rests");
            }
        }
        sent.push((before, one.messages.len() + other.messages.len()));
        let after = server();
        // Every other time the outcome is never written: those requests count for longer.
        if step % 2 == 0 {
            for (case, due) in [(&first, one), (&second, other)] {
                for message in due.messages {
                    case.settle(&message, 200, Next::Delivered).await;
                }
            }
        }
        let in_window = sent.iter().filter(|(at, _)| at.plus(10 * SECOND) > after).map(|(_, sent)| sent);
        let in_window: usize = in_window.sum();
        assert!(in_window <= 50, "{in_window} requests in a window");
        most = most.max(in_window);
        first.clock.advance(SECOND);
    }
    assert_eq!(most, 50, "what is allowed is used");
    assert!(sent.iter().map(|(_, sent)| sent).sum::<usize>() >= 150);
}

#[tokio::test]
async fn a_batch_counts_as_one_request_of_a_rate() {
    let Some([first, second]) = two().await else { return };
    for at in 0..6 {
        first.publish(&format!("e{at}"), &["a"]).await;
    }
    let rate = LaneRate { requests: 2, window: 10 * SECOND, arrival: SECOND };
    let batch = LaneBatch { size: 2, bytes: 1 << 20, flush: HOUR };
    let rated = Lane { rate: Some(rate), batch: Some(batch), ..wide(2) };
    assert_eq!(first.claim(vec![rated.clone()]).await.messages.len(), 2);
    assert_eq!(second.claim(vec![rated.clone()]).await.messages.len(), 2);
    assert!(first.claim(vec![rated.clone()]).await.messages.is_empty());
    first.clock.advance(12 * SECOND);
    assert_eq!(first.claim(vec![rated]).await.messages.len(), 2);
}

async fn taken_over([first, second]: &[Case; 2]) -> (ClaimedMessage, ClaimedMessage) {
    first.publish("e1", &["a"]).await;
    let leased = Lane { lease_until: first.clock.now().plus(60 * SECOND), ..lane("a") };
    let late = first.claim(vec![leased]).await.messages.remove(0);
    assert!(second.claim(vec![lane("a")]).await.messages.is_empty());
    first.clock.advance(61 * SECOND);
    let taken = second.claim(vec![lane("a")]).await;
    assert!(taken.has_freed);
    let taken = taken.messages.into_iter().next().unwrap();
    assert_eq!(taken.id, late.id);
    (late, taken)
}

#[tokio::test]
async fn a_settlement_after_the_message_was_taken_over_changes_nothing_but_its_attempt_is_kept() {
    let nexts = |now: Timestamp| {
        let fallback =
            Next::Fallback { target: "b".into(), primary_error: "HTTP 500".into(), in_order: None };
        [Next::Delivered, Next::Retry(now), Next::Smaller(now), Next::Cancelled, dead("HTTP 500"), fallback]
    };
    for at in 0..6 {
        let Some(nodes) = two().await else { return };
        let (late, taken) = taken_over(&nodes).await;
        let [first, second] = nodes;
        let next = nexts(first.clock.now()).into_iter().nth(at).unwrap();
        let before = first.only().await;
        first.settle(&late, 500, next).await;
        assert_eq!(first.only().await, before);
        assert_eq!(before.status, MessageStatus::Sending);
        assert!(second.claim(vec![lane("a"), lane("b")]).await.messages.is_empty());
        second.settle(&taken, 200, Next::Delivered).await;
        let stored = first.store.message(taken.id).await.unwrap().unwrap();
        assert_eq!((stored.row.status, stored.row.attempts), (MessageStatus::Delivered, 1));
        let attempts: Vec<_> =
            stored.attempts.iter().map(|attempt| (attempt.number, attempt.status)).collect();
        assert_eq!(attempts, [(1, Some(500)), (1, Some(200))], "nobody's attempt replaces another's");
        assert!(first.store.dead_letters(DeadLetterFilter::default(), None, 9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_outcome_is_welcome_until_somebody_else_has_claimed_the_message() {
    let Some([first, second]) = two().await else { return };
    first.publish("e1", &["a"]).await;
    let leased = Lane { lease_until: first.clock.now().plus(SECOND), ..lane("a") };
    let late = first.claim(vec![leased]).await.messages.remove(0);
    first.clock.advance(2 * SECOND);
    assert!(second.claim(vec![lane("b")]).await.has_freed, "nobody asked for its own lane");
    first.settle(&late, 200, Next::Delivered).await;
    assert_eq!(first.only().await.status, MessageStatus::Delivered);
    assert!(second.claim(vec![lane("a")]).await.messages.is_empty());
}

#[tokio::test]
async fn a_settlement_that_is_written_twice_counts_once() {
    let Some([first, _]) = two().await else { return };
    first.publish("e1", &["a"]).await;
    let message = first.claim(vec![lane("a")]).await.messages.remove(0);
    for _ in 0..2 {
        first.settle(&message, 500, Next::Retry(first.clock.now().plus(HOUR))).await;
    }
    assert_eq!(first.only().await.attempts, 1);
    assert_eq!(first.store.message(message.id).await.unwrap().unwrap().attempts.len(), 1);
    assert_eq!(first.store.sender_figures().await.unwrap().remove(0).attempts, 1);
}

#[tokio::test]
async fn a_node_that_starts_frees_its_own_messages_and_not_those_of_others() {
    let Some([first, second]) = two().await else { return };
    for id in ["e1", "e2"] {
        first.publish(id, &["a"]).await;
    }
    assert_eq!(first.claim(vec![wide(1)]).await.messages.len(), 1);
    let of_second = seqs(&second.claim(vec![wide(1)]).await);
    assert_eq!(second.store.recover_messages(second.clock.both(), SECOND).await.unwrap(), 1);
    assert_eq!(seqs(&first.claim(vec![wide(9)]).await), of_second);
}

#[tokio::test]
async fn a_clock_that_was_set_moves_what_its_own_node_wrote() {
    let Some([first, second]) = two().await else { return };
    for (case, id) in [(&first, "e1"), (&second, "e2")] {
        case.publish(id, &["a"]).await;
        let message = case.claim(vec![lane("a")]).await.messages.remove(0);
        case.settle(&message, 500, Next::Retry(case.clock.now().plus(60 * SECOND))).await;
    }
    first.store.keep_wall_ahead(40_000_000).await.unwrap();
    let wall = first.clock.now().plus(40 * SECOND);
    let first = first.restart(wall).await;
    first.clock.advance(59 * SECOND);
    let due = first.claim(vec![lane("a")]).await.messages;
    let ids: Vec<_> = due.iter().map(|message| message.event.event_id.clone().unwrap()).collect();
    assert_eq!(ids, ["e2"], "the other one is due by the clock of its own node");
    first.clock.advance(SECOND);
    assert_eq!(first.claim(vec![lane("a")]).await.messages.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fan_out_by_both_nodes_makes_each_message_once() {
    let Some([first, second]) = two().await else { return };
    let mut made = 0;
    for step in 0..20 {
        let event = |at: i64| OutgoingEvent { source: "s".into(), ..event(&format!("e{at}")) };
        let events = (0..10).map(|at| (event(step * 10 + at), to(&["a", "b"]))).collect();
        let revision = first.revision().await;
        let fan_out = FanOut { revision, from: step * 10, through: step * 10 + 10, events };
        let (one, other) = tokio::join!(
            first.store.fan_out(fan_out.clone(), first.clock.both()),
            second.store.fan_out(fan_out, second.clock.both())
        );
        let mut both = [one.unwrap(), other.unwrap()];
        both.sort_unstable();
        assert_eq!(both, [None, Some(20)], "one of them moves the cursor");
        made += 20;
    }
    let rows = second.store.messages(MessageFilter::default(), None, 1_000).await.unwrap();
    assert_eq!((rows.len(), second.store.fanout_cursor().await.unwrap()), (made, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_that_publish_the_same_event_one_makes_it() {
    let Some([first, second]) = two().await else { return };
    for at in 0..20 {
        let id = format!("e{at}");
        let (one, other) = tokio::join!(first.publish(&id, &["a"]), second.publish(&id, &["a"]));
        assert!(
            matches!(
                (one, other),
                (Published::New(1), Published::Again) | (Published::Again, Published::New(1))
            ),
            "{one:?} {other:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_nodes_tells_of_dead_letters() {
    let Some([first, second]) = two().await else { return };
    first.publish("e1", &["a"]).await;
    let message = first.claim(vec![lane("a")]).await.messages.remove(0);
    first.settle(&message, 500, dead("HTTP 500")).await;
    let tell = async |case: &Case, told: &UnreportedLetters, id: &str| {
        let notice = Some((event(id), to(&["b"])));
        case.store.report_dead_letters(told.clone(), notice, case.clock.both()).await.unwrap();
    };
    let told = first.store.unreported_dead_letters(&[]).await.unwrap().remove(0);
    tokio::join!(tell(&first, &told, "n1"), tell(&second, &told, "n2"));
    assert_eq!(first.claim(vec![lane("b")]).await.messages.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_write_figures_and_replay_at_once_lose_nothing() {
    let Some([first, second]) = two().await else { return };
    for at in 0..200 {
        first.publish(&format!("e{at}"), &["a", "b"]).await;
    }
    let work = async |case: &Case| {
        loop {
            let due = case.claim(vec![wide(9), lane("b")]).await.messages;
            if due.is_empty() {
                return;
            }
            for message in due {
                case.settle(&message, 500, dead("HTTP 500")).await;
            }
        }
    };
    tokio::join!(work(&first), work(&second));
    let figures = first.store.sender_figures().await.unwrap();
    assert_eq!(
        figures.iter().map(|figures| (figures.attempts, figures.dead)).collect::<Vec<_>>(),
        [(200, 200); 2]
    );
    let replay = async |case: &Case| {
        case.store
            .replay_dead_letters(DeadLetterFilter::default(), 1_000, case.clock.both())
            .await
            .unwrap()
            .len()
    };
    let (one, other) = tokio::join!(replay(&first), replay(&second));
    assert_eq!(one + other, 400);
}
