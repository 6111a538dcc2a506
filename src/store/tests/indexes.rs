//! The server reads what it needs by an index. Only with `TAGOHOOK_TEST_POSTGRES`.

use super::nodes::client;
use super::*;

/// Enough rows that no planner reads all of them.
const ROWS: i64 = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_are_found_by_an_index_in_a_large_table() {
    let case = open().await;
    let Place::Postgres(_) = &case.options.place else { return };
    let first = case.at(case.entry(Decision::Accept(None))).await;
    let client = client(&case).await;
    let more = format!(
        "INSERT INTO deliveries
         SELECT (jsonb_populate_record(d, jsonb_build_object(
             'seq', {first} - n, 'id', '\\x' || md5(n::text), 'verdict', CASE WHEN n % 1000 = 0 THEN 2 ELSE 0 END,
             'event_id', 'event ' || n, 'entity', 'device ' || n % 5000, 'received_at', d.received_at - n
         ))).*
         FROM deliveries d, generate_series(1, {ROWS}) n WHERE d.seq = {first}"
    );
    client.execute(&more, &[]).await.unwrap();
    client.batch_execute("ANALYZE deliveries").await.unwrap();
    let id =
        DeliveryId::from_bytes(hex::decode("c4ca4238a0b923820dcc509a6f75849b").unwrap().try_into().unwrap());
    let of = |filter: DeliveryFilter| {
        let store = &case.store;
        async move { store.list(&filter, None, 10).await.unwrap().len() }
    };
    let some = DeliveryFilter::default;
    let by_event = DeliveryFilter { event_id: Some("event 77".into()), ..some() };
    let by_entity = DeliveryFilter { entity: Some("device 77".into()), ..some() };
    let by_verdict = DeliveryFilter { verdict: Some(Verdict::Rejected), ..some() };
    let ago = |us| Some(case.clock.wall().minus(Duration::from_micros(us)));
    let by_time = DeliveryFilter { from: ago(10_009), to: ago(9_999), ..some() };
    assert!(case.store.delivery(id).await.unwrap().is_some());
    assert_eq!(of(by_event).await, 1);
    assert_eq!(of(by_entity).await, 4);
    assert_eq!(of(by_verdict).await, 10);
    assert_eq!(of(by_time).await, 10);
    assert_eq!(of(some()).await, 10);
    let tail = case.store.since(&some(), first - 10, 100).await.unwrap();
    assert_eq!(tail.rows.len(), 10);

    // Each connection counts for itself, and tells what it counted when it ends, at the latest.
    case.store.close().await;
    let others = "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let began = Instant::now();
    while client.query_one(others, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "the connections do not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Expressions have no name in that of their index: the event's was made first.
    for index in
        ["id_idx", "hashtext_seq_idx", "hashtext_seq_idx1", "verdict_seq_idx", "received_at_idx", "pkey"]
    {
        let sql = "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_indexes
                   WHERE indexrelname ~ ('^deliveries_[0-9]+_' || $1 || '$')";
        let scans: i64 = client.query_one(sql, &[&index]).await.unwrap().get(0);
        assert!(scans > 0, "{index} is not used");
    }
    let sql = "SELECT sum(seq_tup_read)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'deliveries_2%'";
    let read: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
    assert!(read < ROWS, "{read} rows were read without an index");
}
