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
    let fact = async |name: &str| -> i64 {
        other.query_one("SELECT value FROM facts WHERE name = $1", &[&name]).await.unwrap().get(0)
    };
    raiser
        .batch_execute("INSERT INTO facts VALUES ('timeline', 1) ON CONFLICT (name) DO UPDATE SET value = 1")
        .await
        .unwrap();
    let (open, before) = (writer.transaction().await.unwrap(), fact("xid_offset").await);
    let revision = fact("subscriptions").await;
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
        assert_eq!(fact("xid_offset").await, before, "a position of the old numbers is not committed yet");
        open.commit().await.unwrap();
    };
    let (raised, ()) = tokio::join!(raise, check);
    raised.unwrap();
    assert!(fact("xid_offset").await > before);
    assert!(fact("subscriptions").await - revision > 1_000, "a change that is lost had a lower one");
    let late = take(&other).await;
    assert!((late - early) / 1_024 > 1 << 24, "the next ones are above all that may be lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_one_node_shows_is_known_to_another_as_soon_as_it_is_asked() {
    let Some([first, second]) = two().await else { return };
    for _ in 0..20 {
        let written = first.at(first.entry(Decision::Capture(200))).await;
        first.is_seen(written).await;
        second.store.catch_up(written).await.unwrap();
        assert!(*second.store.newest().borrow() >= written);
    }
    // While a transaction may still write below it, no node may show it.
    let mut writer = client(&first).await;
    let open = writer.transaction().await.unwrap();
    take(&open).await;
    let written = first.at(first.entry(Decision::Capture(200))).await;
    for case in [&first, &second] {
        for position in [written, i64::MAX] {
            case.store.catch_up(position).await.unwrap();
            assert!(*case.store.newest().borrow() < written);
        }
    }
    open.commit().await.unwrap();
    second.is_seen(written).await;
    assert_eq!(second.store.turns(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_ends_earlier_than_what_was_seen_is_a_turn_even_if_it_has_grown_again() {
    let Some([first, second]) = two().await else { return };
    let before = first.at(first.entry(Decision::Capture(200))).await;
    second.is_seen(before).await;
    let standby = Standby::of(&first.options.place).await.unwrap();
    standby.turns(&[&first.store, &second.store]).await;
    let after = first.at(first.entry(Decision::Capture(200))).await;
    second.is_seen(after).await;
    assert!(after > before);
    assert!(first.store.turns() > 0 && second.store.turns() > 0);
}
