//! Positions when transactions run side by side. Only with `TAGOHOOK_TEST_POSTGRES`.

use super::nodes::{client, two};
use super::*;
use crate::store::postgres::on_timeline;

/// The first position of a batch.
async fn take(client: &impl tokio_postgres::GenericClient) -> i64 {
    client.query_one("SELECT first_position FROM take_event_ids('{}', 0)", &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_raises_positions_waits_for_transactions_that_have_some() {
    let Some([case, _]) = two().await else { return };
    let (mut writer, raiser, other) = (client(&case).await, client(&case).await, client(&case).await);
    let offset = async || -> i64 {
        let sql = "SELECT value FROM facts WHERE name = 'xid_offset'";
        other.query_one(sql, &[]).await.unwrap().get(0)
    };
    raiser
        .batch_execute("INSERT INTO facts VALUES ('timeline', 1) ON CONFLICT (name) DO UPDATE SET value = 1")
        .await
        .unwrap();
    let (open, before) = (writer.transaction().await.unwrap(), offset().await);
    let early = take(&open).await;
    let raise = on_timeline(2);
    let raise = raiser.batch_execute(&raise);
    let check = async {
        let sql = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'";
        let began = Instant::now();
        while other.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "nobody waits");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(offset().await, before, "a position of the old numbers is not committed yet");
        open.commit().await.unwrap();
    };
    let (raised, ()) = tokio::join!(raise, check);
    raised.unwrap();
    assert!(offset().await > before);
    let late = take(&other).await;
    assert!((late - early) / 1_024 > 1 << 24, "the next ones are above all that may be lost");
}
