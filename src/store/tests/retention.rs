//! Retention, readiness, marks and causes of several nodes in PostgreSQL. Only with `TAGOHOOK_TEST_POSTGRES`.

use std::collections::BTreeSet;

use tokio_postgres::Client;

use super::nodes::{client, two};
use super::*;
use crate::domain::{Cause, Marks, MarksChange};

const PIN: MarksChange = MarksChange { is_pinned: Some(true), note: None, tags: None };

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// The days that have a partition, as "20270115".
async fn days(client: &Client) -> Vec<String> {
    let sql = "SELECT relname::text FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
               WHERE inhparent = 'deliveries'::regclass ORDER BY 1";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get::<_, &str>(0).trim_start_matches("deliveries_").to_owned()).collect()
}

/// The totals are those of the rows.
async fn totals_are_right(client: &Client) {
    let sql = "SELECT count(*) FROM (
                   SELECT day, verdict, sum(rows)::bigint AS rows, sum(bytes)::bigint AS bytes FROM delivery_totals
                   GROUP BY 1, 2 HAVING sum(rows) <> 0 OR sum(bytes) <> 0
               ) AS kept FULL JOIN (
                   SELECT received_at / 86400000000 AS day, verdict, count(*) AS rows, sum(row_bytes)::bigint AS bytes
                   FROM deliveries GROUP BY 1, 2
               ) AS real USING (day, verdict, rows, bytes)
               WHERE kept IS NULL OR real IS NULL";
    assert_eq!(number(client, sql).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_two_nodes_prune_at_once_is_removed_once() {
    let Some([first, second]) = two().await else { return };
    let beside = client(&first).await;
    // A capture keeps the partition: its other rows are removed one by one.
    first.put(first.entry(Decision::Capture(200))).await;
    let entries = (0..2_500).map(|at| first.store.append(first.with_id(&format!("e{at}"), 1)));
    let mut taken = 0;
    for batch in futures_util::future::join_all(entries).await {
        taken += u64::from(batch.is_ok());
    }
    assert!(taken >= 1_000, "{taken}");
    first.clock.advance(61 * DAY);
    let (of_first, of_second) = tokio::join!(first.store.prune(), second.store.prune());
    let (of_first, of_second) = (of_first.unwrap(), of_second.unwrap());
    assert_eq!(of_first.deliveries + of_second.deliveries, taken);
    assert_eq!(of_first.event_ids + of_second.event_ids, taken);
    assert_eq!(second.verdicts().await, [Verdict::Captured]);
    assert_eq!(days(&beside).await, ["20270115"], "the empty one of the day after is dropped");
    totals_are_right(&beside).await;
    assert_eq!(second.store.prune().await.unwrap(), Pruned::default());
    assert!(second.store.pruned_through() > 0);
    second.put(second.with_id("e1", 2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_day_is_dropped_as_a_whole_once_nobody_reads_it_and_deliveries_arrive_meanwhile() {
    let Some([first, second]) = two().await else { return };
    let beside = client(&first).await;
    let mut old = Vec::new();
    for at in 0..20 {
        let entry = first.with_id(&format!("e{at}"), 1);
        old.push(entry.delivery.id);
        first.put(entry).await;
    }
    let refused = first.entry(Decision::Reject(Reason::Stale));
    let refused_id = refused.delivery.id;
    let seq = second.at(refused).await;
    let cause = Cause { code: "late".into(), headline: "It is late".into() };
    first.store.name_causes(vec![(seq, cause)]).await.unwrap();
    let note = MarksChange { note: Some(Some("n".into())), ..MarksChange::default() };
    first.store.mark(refused_id, note, 0).await.unwrap();
    first.is_seen(seq).await;
    first.clock.advance(31 * DAY);
    let mut reader = client(&first).await;
    let reading = reader.transaction().await.unwrap();
    let count = "SELECT count(*) FROM deliveries";
    assert_eq!(reading.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 21);

    let began = Instant::now();
    assert_eq!(second.store.prune().await.unwrap().deliveries, 0);
    assert!(began.elapsed() < Duration::from_secs(5), "a reader does not stop retention");
    second.put(second.with_id("new", 1)).await;
    assert_eq!(reading.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 22);
    assert_eq!(number(&beside, "SELECT count(*) FROM delivery_causes").await, 0, "they went first");
    reading.commit().await.unwrap();

    let before = number(&beside, "SELECT coalesce(sum(n_tup_del), 0)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'deliveries%'").await;
    assert_eq!(second.store.prune().await.unwrap().deliveries, 21);
    let after = number(&beside, "SELECT coalesce(sum(n_tup_del), 0)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'deliveries%'").await;
    assert_eq!(after, before, "no row was deleted by itself");
    assert_eq!(days(&beside).await, ["20270215", "20270216"]);
    assert_eq!(second.store.pruned_through(), seq);
    for id in old.into_iter().chain([refused_id]) {
        assert!(first.store.delivery(id).await.unwrap().is_none());
    }
    assert_eq!(number(&beside, "SELECT count(*) FROM delivery_marks").await, 0);
    totals_are_right(&beside).await;
    // An event id outlives its delivery.
    assert!(!is_new(&first.put(first.with_id("e1", 1)).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pinned_delivery_of_an_old_day_stays_until_it_is_unpinned() {
    let Some([first, second]) = two().await else { return };
    let beside = client(&first).await;
    let pinned = first.with_id("pinned", 1);
    let id = pinned.delivery.id;
    first.put(pinned).await;
    for at in 0..5 {
        first.put(first.with_id(&format!("e{at}"), 1)).await;
    }
    assert_eq!(
        second.store.mark(id, PIN, 1 << 20).await.unwrap(),
        Marked::Done(Marks { is_pinned: true, ..Marks::default() })
    );
    first.clock.advance(40 * DAY);
    assert_eq!(first.store.prune().await.unwrap().deliveries, 5);
    assert!(first.store.delivery(id).await.unwrap().unwrap().row.marks.is_pinned);
    assert_eq!(days(&beside).await, ["20270115"]);
    totals_are_right(&beside).await;
    let unpin = MarksChange { is_pinned: Some(false), ..MarksChange::default() };
    first.store.mark(id, unpin, 0).await.unwrap();
    assert_eq!(second.store.prune().await.unwrap().deliveries, 1);
    assert!(second.store.delivery(id).await.unwrap().is_none());
    assert_eq!(days(&beside).await, [""; 0]);
    // The partition of today is gone in this test only because its clock moved: a delivery makes it again.
    first.put(first.with_id("new", 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_nodes_together_pin_no_more_than_there_is_room_for() {
    let Some([first, second]) = two().await else { return };
    let mut ids = Vec::new();
    for _ in 0..12 {
        let mut entry = first.entry(Decision::Accept(None));
        entry.delivery.body = Bytes::from(vec![b'x'; 10_000]);
        ids.push(entry.delivery.id);
        first.put(entry).await;
    }
    let pin = |(at, id): (usize, &DeliveryId)| {
        let store = if at % 2 == 0 { first.store.clone() } else { second.store.clone() };
        let id = *id;
        async move { store.mark(id, PIN, 35_000).await.unwrap() }
    };
    let marked = futures_util::future::join_all(ids.iter().enumerate().map(pin)).await;
    let done = marked.iter().filter(|marked| matches!(marked, Marked::Done(_))).count();
    let refused = marked.iter().filter(|marked| **marked == Marked::TooManyPins).count();
    assert_eq!((done, refused), (3, 9));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn marks_that_nodes_change_at_once_are_all_kept() {
    let Some([first, second]) = two().await else { return };
    let entry = first.entry(Decision::Accept(None));
    let id = entry.delivery.id;
    first.put(entry).await;
    for round in 0..10 {
        let note = MarksChange { note: Some(Some(format!("n{round}"))), ..MarksChange::default() };
        let tags = MarksChange { tags: Some(vec![format!("t{round}")]), ..MarksChange::default() };
        let (noted, tagged) = tokio::join!(first.store.mark(id, note, 0), second.store.mark(id, tags, 0));
        assert!(matches!((noted.unwrap(), tagged.unwrap()), (Marked::Done(_), Marked::Done(_))));
        let marks = first.store.delivery(id).await.unwrap().unwrap().row.marks;
        assert_eq!((marks.note, marks.tags), (Some(format!("n{round}")), vec![format!("t{round}")]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_name_the_same_causes_at_once_come_to_one_result() {
    let Some([first, second]) = two().await else { return };
    let mut seqs = Vec::new();
    for _ in 0..30 {
        seqs.push(first.at(first.entry(Decision::Reject(Reason::Stale))).await);
    }
    let causes = |seqs: &[i64]| -> Vec<(i64, Cause)> {
        seqs.iter().map(|seq| (*seq, Cause { code: "late".into(), headline: "It is late".into() })).collect()
    };
    let backwards: Vec<i64> = seqs.iter().rev().copied().collect();
    let unknown = [i64::MAX];
    for _ in 0..5 {
        let (one, other) = tokio::join!(
            first.store.name_causes(causes(&[&seqs[..], &unknown].concat())),
            second.store.name_causes(causes(&[&backwards[..], &backwards].concat()))
        );
        one.unwrap();
        other.unwrap();
    }
    let rows = second.store.list(&DeliveryFilter::default(), None, 50).await.unwrap();
    assert!(rows.iter().all(|row| row.cause.as_ref().is_some_and(|cause| cause.code == "late")));
    let alike = second.store.alike(&rows[3], "late").await.unwrap().unwrap();
    assert_eq!((alike.count, alike.is_all, alike.since), (29, true, rows[29].received_at));
    assert!(second.store.alike(&rows[3], "other").await.unwrap().is_none());
    let beside = client(&first).await;
    assert_eq!(number(&beside, "SELECT count(*) FROM delivery_causes").await, 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_is_not_ready_while_the_database_only_reads_and_ready_again_by_itself() {
    let Some([first, _second]) = two().await else { return };
    first.store.ready().await.unwrap();
    let beside = client(&first).await;
    let name: String = beside.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    beside
        .batch_execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"))
        .await
        .unwrap();
    beside.query(cut, &[]).await.unwrap();
    let mut faults = BTreeSet::new();
    for _ in 0..12 {
        let began = Instant::now();
        let fault = first.store.ready().await.unwrap_err().to_string();
        assert!(began.elapsed() < Duration::from_secs(4), "{fault}");
        faults.insert(fault);
    }
    assert!(faults.iter().any(|fault| fault.contains("the database is read-only")), "{faults:?}");
    let refused = first.store.append(first.with_id("a", 1)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    // Lists are read as ever.
    assert!(first.verdicts().await.is_empty());
    beside
        .batch_execute(&format!("ALTER DATABASE {name} RESET default_transaction_read_only"))
        .await
        .unwrap();
    let began = Instant::now();
    while first.store.ready().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5), "it does not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(is_new(&first.put(first.with_id("a", 1)).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_that_ask_at_once_whether_it_is_ready_share_one_write() {
    let Some([first, _second]) = two().await else { return };
    let beside = client(&first).await;
    first.store.ready().await.unwrap();
    // The row is locked: nobody can write it.
    let mut other = client(&first).await;
    let held = other.transaction().await.unwrap();
    held.batch_execute("SELECT 1 FROM probes FOR UPDATE").await.unwrap();
    let began = Instant::now();
    let asked = futures_util::future::join_all((0..50).map(|_| first.store.ready())).await;
    assert!(asked.iter().all(|asked| asked.is_err()));
    assert!(began.elapsed() < Duration::from_secs(4));
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert!(number(&beside, waiting).await <= 1);
    held.rollback().await.unwrap();
    let began = Instant::now();
    while first.store.ready().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5), "it does not recover");
    }
    assert!(is_new(&first.put(first.with_id("a", 1)).await));
}
