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
             'event_id', 'event ' || n, 'entity', 'device ' || n % 5000
         ))).*
         FROM deliveries d, generate_series(1, {ROWS}) n WHERE d.seq = {first}"
    );
    client.execute(&more, &[]).await.unwrap();
    client.batch_execute("ANALYZE deliveries").await.unwrap();
    let id =
        DeliveryId::from_bytes(hex::decode("c4ca4238a0b923820dcc509a6f75849b").unwrap().try_into().unwrap());
    let scans = async |index: &str| -> i64 {
        let sql =
            "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_indexes WHERE indexrelname LIKE $1";
        client.query_one(sql, &[&format!("deliveries_2%{index}")]).await.unwrap().get(0)
    };
    let of = |filter: DeliveryFilter| {
        let store = &case.store;
        async move { store.list(&filter, None, 10).await.unwrap().len() }
    };
    let by_event = DeliveryFilter { event_id: Some("event 77".into()), ..DeliveryFilter::default() };
    let by_entity = DeliveryFilter { entity: Some("device 77".into()), ..DeliveryFilter::default() };
    let by_verdict = DeliveryFilter { verdict: Some(Verdict::Rejected), ..DeliveryFilter::default() };
    assert!(case.store.delivery(id).await.unwrap().is_some());
    assert_eq!(of(by_event).await, 1);
    assert_eq!(of(by_entity).await, 4);
    assert_eq!(of(by_verdict).await, 10);
    let tail = case.store.since(&DeliveryFilter::default(), first - 10, 100).await.unwrap();
    assert_eq!(tail.rows.len(), 10);
    // The server counts with a delay. Expressions have no name in that of their index: the event's was made first.
    for index in ["_id_idx", "_hashtext_seq_idx", "_hashtext_seq_idx1", "_verdict_seq_idx", "_pkey"] {
        let began = Instant::now();
        while scans(index).await == 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "{index} is not used");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
