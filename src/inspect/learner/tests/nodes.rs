//! Learners of two nodes on one store: nothing is counted twice, and a silence is reported once. In PostgreSQL each node has
//! a store of its own.

use super::*;
use crate::store::{Outage, Place, Standby};

impl House {
    /// Another node on the same place.
    async fn second(&self, rule: SilenceAfter) -> Self {
        let mut options = self.options.clone();
        let store = match &mut options.place {
            Place::Sqlite(_) => self.store.clone(),
            Place::Postgres(place) => {
                place.node = "two".to_owned();
                Store::open(options.clone()).await.unwrap()
            }
        };
        let second = house_of(store, options, rule, Arc::clone(&self.clock), tempfile::tempdir().unwrap());
        second.newest.store(self.newest.load(Ordering::Relaxed), Ordering::Relaxed);
        second
    }

    /// Events about silences so far.
    async fn published(&self) -> u64 {
        self.store.published_types().await.unwrap().iter().map(|known| known.count).sum()
    }

    /// Steps until the log is learnt; how often another node was faster.
    async fn compete(&self, learner: &mut Learner) -> usize {
        let mut overtaken = 0;
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            assert!(Instant::now() < end, "the log does not end");
            match learner.step().await.unwrap() {
                Progress::More => {}
                Progress::Overtaken => overtaken += 1,
                Progress::End => {
                    let cursor = self.store.learner_state().await.unwrap().cursor;
                    if cursor >= self.newest.load(Ordering::Relaxed) {
                        return overtaken;
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_section_that_two_nodes_learn_at_once_is_counted_once() {
    let first = house(SilenceAfter::Off).await;
    let mut overtaken = 0;
    let (mut one, second) = (first.learner().await, first.second(SilenceAfter::Off).await);
    let mut other = second.learner().await;
    for round in 0..6 {
        for n in 0..60 {
            let body = json!({"n": n, format!("f{}", n % 40): n});
            let (event_type, device) = (format!("type{}", n % 10), format!("d{}", n % 20));
            first.hear(&event_type, Some(&device), None, &body).await;
        }
        second.newest.store(first.newest.load(Ordering::Relaxed), Ordering::Relaxed);
        let (of_one, of_other) = tokio::join!(first.compete(&mut one), second.compete(&mut other));
        overtaken += of_one + of_other;
        let types = first.store.drift_types().await.unwrap();
        assert_eq!(types.len(), 10);
        for known in types {
            assert_eq!((known.deliveries, known.samples), (6 * (round + 1), 6 * (round + 1)));
            let fields = second.store.drift_fields(known.id).await.unwrap();
            let mut seen: Vec<u64> = fields.iter().map(|field| field.seen() / (round + 1)).collect();
            seen.sort_unstable();
            assert_eq!(seen, [1, 1, 2, 2, 6, 6], "{fields:?}");
        }
        for n in 0..20 {
            let device = first.store.device("s".to_owned(), format!("d{n}")).await.unwrap().unwrap().key;
            assert_eq!(device.deliveries, 3 * (round + 1));
        }
        assert_eq!(second.store.learner_state().await.unwrap().entities, 20);
    }
    assert!(overtaken > 0, "they were at it at the same time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_that_two_nodes_find_has_one_notice() {
    let rule = SilenceAfter::Time(10 * MINUTE);
    let first = house(rule).await;
    let second = first.second(rule).await;
    let (mut one, mut other) = (first.learner().await, second.learner().await);
    for n in 0..30 {
        first.hear_device(&format!("d{n}")).await;
    }
    for _ in 0..10 {
        first.learn_all(&mut one).await;
        second.learn_all(&mut other).await;
        assert_eq!(first.published().await, 0);
        first.clock.advance(Duration::from_secs(59));
    }
    tokio::join!(first.learn_all(&mut one), second.learn_all(&mut other));
    assert_eq!(first.published().await, 0, "590 s are not over 10 minutes");
    first.clock.advance(Duration::from_secs(20));
    for _ in 0..2 {
        tokio::join!(first.learn_all(&mut one), second.learn_all(&mut other));
        assert_eq!(first.published().await, 30);
    }
    let counts = second.store.entity_counts().await.unwrap();
    assert_eq!(counts, [("s".to_owned(), 30, 30)]);
}

#[tokio::test]
async fn a_rule_that_two_nodes_introduce_marks_each_silence_once() {
    let first = house(SilenceAfter::Off).await;
    first.subscribe().await;
    first.hear_device("d1").await;
    let mut learner = first.learner().await;
    first.learn_all(&mut learner).await;
    let rule = SilenceAfter::Time(10 * MINUTE);
    let stale = first.store.entities_with_other_rule("s".to_owned(), rule, String::new(), 9).await.unwrap();
    assert_eq!(stale.len(), 1);
    first.sources.replace(vec![source(rule)], 1 << 20);
    first.listen(&mut learner, 11).await;
    assert_eq!(first.told().await, 1);
    let silent = first.store.device("s".to_owned(), "d1".to_owned()).await.unwrap().unwrap().key;
    // The other node read the entity before, and is only now at it.
    first.store.recompute_silences(stale, rule, silent.first_seen).await.unwrap();
    let now = first.store.device("s".to_owned(), "d1".to_owned()).await.unwrap().unwrap().key;
    assert_eq!(now.silent_at, silent.silent_at);
    first.listen(&mut learner, 11).await;
    assert_eq!(first.told().await, 1);
}

#[tokio::test]
async fn nobody_listened_only_where_no_node_did() {
    let house = house(SilenceAfter::Off).await;
    let now = house.clock.now();
    let minutes = |minutes: u32| now.plus(minutes * MINUTE);
    let outage = |since, until| Some(Outage { since: minutes(since), until: minutes(until) });
    let store = &house.store;
    store.record_listening(minutes(0), None).await.unwrap();
    store.record_listening(minutes(100), outage(0, 100)).await.unwrap();
    // This node stood still, and the other one did not.
    store.record_listening(minutes(101), outage(50, 101)).await.unwrap();
    assert_eq!(store.outages().await.unwrap(), [outage(0, 100).unwrap()]);
    // Then both did; each of them says so.
    store.record_listening(minutes(200), outage(90, 200)).await.unwrap();
    store.record_listening(minutes(201), outage(101, 201)).await.unwrap();
    assert_eq!(store.outages().await.unwrap(), [outage(0, 100).unwrap(), outage(101, 200).unwrap()]);
    assert_eq!(store.learner_state().await.unwrap().heard_at, Some(minutes(201)));
}

#[tokio::test]
async fn a_position_that_is_not_final_makes_nobody_silent() {
    let house = house(SilenceAfter::Time(10 * MINUTE)).await;
    let Place::Postgres(place) = &house.options.place else { return };
    let (client, connection) = place.config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    house.subscribe().await;
    let mut learner = house.learner().await;
    house.hear_device("d1").await;
    house.hear_device("d2").await;
    house.learn_all(&mut learner).await;
    house.listen(&mut learner, 9).await;
    client.batch_execute("BEGIN; CREATE TEMPORARY TABLE held ()").await.unwrap();
    house.hear_device("d1").await;
    for _ in 0..10 {
        house.clock.advance(MINUTE / 2);
        while learner.step().await.unwrap() != Progress::End {}
        learner.report_silences().await.unwrap();
    }
    assert_eq!(house.told().await, 0, "14 minutes, but nothing is known after 9 of them");
    client.batch_execute("ROLLBACK").await.unwrap();
    house.learn_all(&mut learner).await;
    assert_eq!(house.told().await, 1, "d2 was silent, and d1 was not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_standby_lacks_of_what_was_learnt_is_learnt_again_and_makes_nobody_silent() {
    let house = house(SilenceAfter::Time(10 * MINUTE)).await;
    let Some(standby) = Standby::of(&house.options.place).await else { return };
    house.subscribe().await;
    let mut learner = house.learner().await;
    house.hear_device("d1").await;
    house.hear_device("d2").await;
    house.learn_all(&mut learner).await;
    standby.misses_what_is_learnt().await;
    house.listen(&mut learner, 6).await;
    house.hear_device("d1").await;
    house.listen(&mut learner, 3).await;

    standby.takes_over().await;
    for _ in 0..6 {
        house.clock.advance(MINUTE / 2);
        assert_eq!(learner.step().await.unwrap(), Progress::End);
        learner.report_silences().await.unwrap();
    }
    assert_eq!(house.told().await, 0, "12 minutes, but what is stored ends after the first of them");
    standby.turns(&[&house.store]).await;
    house.newest.store(0, Ordering::Relaxed);
    house.learn_all(&mut learner).await;
    assert_eq!(house.told().await, 1, "d2 was silent, and d1 was not");
    let device = house.store.device("s".to_owned(), "d1".to_owned()).await.unwrap().unwrap().key;
    assert_eq!(device.deliveries, 2);
}
