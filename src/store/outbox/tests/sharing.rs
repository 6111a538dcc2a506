//! What nodes that share a store tell each other, and what they do at the same moment. Only with
//! `TAGOHOOK_TEST_POSTGRES`.

use std::time::Instant;

use super::nodes::{another, another_at, two};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

async fn three() -> Option<[Case; 3]> {
    let [first, second] = two().await?;
    let third = another(&first, "three").await?;
    Some([first, second, third])
}

#[tokio::test]
async fn a_change_of_a_subscription_ends_what_other_nodes_do_by_the_old_one() {
    let Some([first, second]) = two().await else { return };
    second.publish("e1", &["a"]).await;
    let now = second.clock.now();
    for (from, change) in (0..4).enumerate() {
        let from = i64::try_from(from).unwrap();
        let revision = second.revision().await;
        match change {
            0 => drop(first.put("c", true).await),
            1 => assert!(first.store.disable_subscription("c".into(), "gone", now).await.unwrap()),
            2 => drop(first.store.park_subscription("c".into(), now).await.unwrap().unwrap()),
            _ => assert_eq!(first.store.delete_subscription("c".into(), now).await.unwrap(), Some(0)),
        }
        assert!(second.revision().await > revision, "{change}");
        let claim = LaneClaim { lanes: vec![lane("a")], now, leases_ended: now, revision };
        let due = second.store.claim_due(claim).await.unwrap();
        assert!(due.is_outdated && due.messages.is_empty() && due.rests.is_empty(), "{change}");
        let events = vec![(event(&format!("of log {change}")), to(&["a"]))];
        let fan_out = FanOut { revision, from, through: from + 1, events };
        assert_eq!(second.store.fan_out(fan_out.clone(), second.clock.both()).await.unwrap(), None);
        let fan_out = FanOut { revision: second.revision().await, ..fan_out };
        assert_eq!(second.store.fan_out(fan_out, second.clock.both()).await.unwrap(), Some(1));
    }
    assert_eq!(second.claim(vec![lane("a")]).await.messages.len(), 5);
}

#[tokio::test]
async fn news_tell_of_ended_leases_of_others_of_dead_letters_and_of_what_nobody_claims() {
    let Some([first, second]) = two().await else { return };
    let quiet = second.store.news().await.unwrap();
    assert_eq!((quiet.has_expired, quiet.has_unreported, quiet.waiting.len()), (false, false, 0));
    first.publish("e1", &["a"]).await;
    first.publish("e2", &["b"]).await;
    assert_eq!(second.store.news().await.unwrap(), quiet, "its own node takes it up");
    first.clock.advance(SECOND);
    assert_eq!(second.store.news().await.unwrap().waiting, ["a", "b"]);
    first.store.park_subscription("b".into(), first.clock.now()).await.unwrap();
    assert_eq!(second.store.news().await.unwrap().waiting, ["a"]);
    let leased = Lane { lease_until: first.clock.now().plus(9 * SECOND), ..lane("a") };
    let message = first.claim(vec![leased]).await.messages.remove(0);
    assert!(second.store.news().await.unwrap().waiting.is_empty());
    first.clock.advance(10 * SECOND);
    assert!(second.store.news().await.unwrap().has_expired);
    assert!(!first.store.news().await.unwrap().has_expired, "its own ones it knows");
    first.settle(&message, 500, dead("HTTP 500")).await;
    let news = second.store.news().await.unwrap();
    assert_eq!((news.has_expired, news.has_unreported), (false, true));
}

#[tokio::test]
async fn a_task_is_of_one_node_until_that_does_not_keep_it() {
    let Some(nodes) = three().await else { return };
    let [first, second, third] = &nodes;
    let take = async |case: &Case| case.store.take_duty("health checks", 4 * SECOND).await.unwrap();
    let (one, two, three) = tokio::join!(take(first), take(second), take(third));
    let at = [one, two, three].iter().position(|taken| *taken).unwrap();
    assert_eq!([one, two, three].iter().filter(|taken| **taken).count(), 1);
    let (holder, other) = (&nodes[at], &nodes[(at + 1) % 3]);
    assert!(other.store.take_duty("notices", 4 * SECOND).await.unwrap(), "each task for itself");
    for _ in 0..3 {
        first.clock.advance(3 * SECOND);
        assert!(take(holder).await && !take(other).await);
    }
    first.clock.advance(5 * SECOND);
    assert!(take(other).await && !take(holder).await);
}

#[tokio::test]
async fn a_node_that_stood_still_prolongs_its_own_leases_only() {
    let Some([first, second]) = two().await else { return };
    for id in ["e1", "e2"] {
        first.publish(id, &["a"]).await;
    }
    let slept_at = first.clock.now();
    let leased = Lane { limit: 1, lease_until: slept_at.plus(60 * SECOND), ..lane("a") };
    let own = first.claim(vec![leased.clone()]).await.messages.remove(0);
    let others = second.claim(vec![leased]).await.messages.remove(0);
    first.clock.advance(HOUR);
    let (now, revision) = (first.clock.now(), first.revision().await);
    let claim = LaneClaim { lanes: vec![lane("a")], now, leases_ended: slept_at, revision };
    let due = first.store.claim_due(claim).await.unwrap();
    assert_eq!(due.messages.iter().map(|message| message.seq).collect::<Vec<_>>(), [others.seq]);
    assert_eq!(second.claim(vec![lane("a")]).await.messages[0].seq, own.seq);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_window_of_a_rate_has_more_requests_of_three_nodes_than_it_allows() {
    const MOST: usize = 20;
    let Some(nodes) = three().await else { return };
    let window = Duration::from_millis(400);
    for at in 0..400 {
        nodes[0].publish(&format!("e{at}"), &["a"]).await;
    }
    let rate = LaneRate { requests: 20, window, arrival: 3 * SECOND };
    let sent = parking_lot::Mutex::new(Vec::new());
    let until = Instant::now() + 4 * SECOND;
    let work = async |case: &Case, slow: u64| {
        while Instant::now() < until || sent.lock().len() <= 2 * MOST {
            let rated = Lane { rate: Some(rate), limit: 7, ..lane("a") };
            let asked = Instant::now();
            for (at, message) in (0_u64..).zip(case.claim(vec![rated]).await.messages) {
                // A request arrives at any moment up to its end, and of some no end is ever written. One that cannot arrive
                // in time any more is not made: on a busy machine a thread may rest for long.
                let now = Instant::now();
                if now > asked + rate.arrival {
                    break;
                }
                sent.lock().push(now);
                tokio::time::sleep(Duration::from_millis(slow)).await;
                if at % 3 != 2 {
                    case.settle(&message, 200, Next::Delivered).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::join!(work(&nodes[0], 1), work(&nodes[1], 10), work(&nodes[2], 20));
    let mut sent = sent.into_inner();
    sent.sort_unstable();
    for pair in sent.windows(MOST + 1) {
        assert!(pair[MOST] - pair[0] > window, "{:?}", pair[MOST] - pair[0]);
    }
}

#[tokio::test]
async fn retention_by_a_node_whose_clock_is_wrong_forgets_no_request_of_a_rate() {
    let Some([first, second]) = two().await else { return };
    for at in 0..9 {
        first.publish(&format!("e{at}"), &["a"]).await;
    }
    let rate = LaneRate { requests: 3, window: 60 * SECOND, arrival: SECOND };
    let rated = Lane { rate: Some(rate), ..lane("a") };
    assert_eq!(first.claim(vec![rated.clone()]).await.messages.len(), 3);
    for year in [1_980, 2_100] {
        let clock = ManualClock::at(Timestamp::parse_rfc3339(&format!("{year}-01-01T00:00:00Z")).unwrap());
        let wrong = another_at(&first, &format!("of {year}"), Arc::new(clock)).await.unwrap();
        wrong.store.prune().await.unwrap();
        assert!(second.claim(vec![rated.clone()]).await.messages.is_empty(), "{year}");
    }
    first.clock.advance(62 * SECOND);
    assert_eq!(second.claim(vec![rated]).await.messages.len(), 3);
}

/// One of the things that happen to messages and subscriptions, by chance.
async fn something(case: &Case, round: usize) -> Result<(), StoreError> {
    let now = case.clock.both();
    let rows = case.store.messages(MessageFilter::default(), None, 30).await?;
    let mut seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    // In any order, as people choose them.
    let by = rand::random_range(0..seqs.len().max(1));
    seqs.rotate_left(by);
    seqs.truncate(9);
    match (round + usize::from(rand::random::<u8>())) % 9 {
        0 => drop(case.store.cancel_messages(seqs, now).await?),
        1 => drop(case.store.send_now(seqs, now).await?),
        2 => drop(case.store.park_subscription("b".into(), now.due).await?),
        3 => drop(case.put("b", true).await),
        4 => drop(case.store.replay_dead_letters(DeadLetterFilter::default(), 20, now).await?),
        5 => drop(case.store.discard_dead_letters(DeadLetterFilter::default(), 2).await?),
        6 => drop(case.store.move_parked(seqs, "a".into(), now).await?),
        7 => drop(case.store.recover_messages(now, SECOND).await?),
        _ => {
            let id = format!("x{}", rand::random_range(0..400_u32));
            let in_order = Some(format!("d{}", round % 3));
            let both =
                ["a", "b"].map(|id| NewMessage { subscription: id.into(), in_order: in_order.clone() });
            case.store.publish(event(&id), [1; 32], both.to_vec(), now).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_three_nodes_do_at_once_none_fails_and_no_message_hangs() {
    let Some(nodes) = three().await else { return };
    for at in 0..60 {
        let in_order = Some(format!("d{}", at % 3));
        let to = ["a", "b"].map(|id| NewMessage { subscription: id.into(), in_order: in_order.clone() });
        let event = event(&format!("e{at}"));
        nodes[0].store.publish(event, [1; 32], to.to_vec(), nodes[0].clock.both()).await.unwrap();
    }
    let ordered = |id: &str| Lane { ordered: true, ..lane(id) };
    let until = Instant::now() + 4 * SECOND;
    let send = async |case: &Case| {
        while Instant::now() < until {
            let now = case.clock.now();
            let revision = case.revision().await;
            let lanes = vec![ordered("b"), ordered("a")];
            let claim = LaneClaim { lanes, now, leases_ended: now, revision };
            let messages = case.store.claim_due(claim).await.unwrap().messages;
            let mut settlements = Vec::new();
            for message in messages {
                let next = match rand::random_range(0..5_u8) {
                    0 => Next::Retry(now),
                    1 => dead("HTTP 500"),
                    2 => Next::Cancelled,
                    3 if message.target == "a" => {
                        let in_order = message.event.entity.clone();
                        Next::Fallback { target: "b".into(), primary_error: "HTTP 500".into(), in_order }
                    }
                    _ => Next::Delivered,
                };
                settlements.push(case.settlement(&message, 200, next));
            }
            case.store.settle(Arc::new(settlements)).await.unwrap();
        }
    };
    let disturb = async |case: &Case| {
        let mut round = 0;
        while Instant::now() < until {
            something(case, round).await.unwrap();
            round += 1;
        }
    };
    let [first, second, third] = &nodes;
    tokio::join!(send(first), send(second), send(third), disturb(first), disturb(second), disturb(third));
    first.put("b", true).await;
    first.clock.advance(HOUR);
    for _ in 0..2_000 {
        let due = first.claim(vec![ordered("a"), ordered("b")]).await;
        for message in &due.messages {
            first.settle(message, 200, Next::Delivered).await;
        }
        first.clock.advance(SECOND);
        if due.messages.is_empty() && due.rests.iter().all(|(_, until)| *until == Timestamp::MAX) {
            break;
        }
    }
    let left = first.store.messages(MessageFilter::default(), None, 10_000).await.unwrap();
    let left =
        left.iter().filter(|row| matches!(row.status, MessageStatus::Pending | MessageStatus::Sending));
    assert_eq!(left.count(), 0);
}
