//! Faults of the database, and the limits of its statements. Only with `TAGOHOOK_TEST_POSTGRES`.

use super::*;
use crate::store::postgres::{Postgres, column};

async fn node() -> Option<Postgres> {
    let case = open().await;
    let Place::Postgres(place) = &case.options.place else { return None };
    let mut place = place.clone();
    place.node = "two".to_owned();
    Some(Postgres::open(case.options.clone(), &place).await.unwrap())
}

fn cause<T>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Unavailable(cause)) => cause,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no fault"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_says_what_is_wrong_and_a_connection_that_is_lost_is_replaced() {
    let Some(store) = node().await else { return };
    let raised = async |code: &str| {
        let connection = store.connection().await.unwrap();
        let sql = format!("DO $$ BEGIN RAISE EXCEPTION 'said' USING ERRCODE = '{code}'; END $$");
        cause(connection.batch(&sql).await)
    };
    assert_eq!(raised("53100").await, "the disk of the database is full: said");
    assert_eq!(raised("25006").await, "the database is read-only: said");
    assert_eq!(raised("57P03").await, "the database is starting or shutting down: said");
    assert_eq!(raised("22012").await, "said (SQLSTATE 22012)");
    let connection = store.connection().await.unwrap();
    let ended = cause(connection.rows("SELECT pg_terminate_backend(pg_backend_pid())", &[]).await);
    assert!(ended.starts_with("the database is shutting down") || ended.contains("was lost"), "{ended}");
    drop(connection);
    for _ in 0..10 {
        store.connection().await.unwrap().one("SELECT 1", &[]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_has_its_own_limits_and_a_search_that_is_too_slow_is_told_from_a_fault() {
    let Some(store) = node().await else { return };
    let session = store.connection().await.unwrap();
    session
        .batch("SET lock_timeout = 0; SET statement_timeout = 0; SET synchronous_commit = off")
        .await
        .unwrap();
    drop(session);
    let to = store.begin().await.unwrap();
    let sql =
        "SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
                   current_setting('idle_in_transaction_session_timeout') AS idle,
                   current_setting('synchronous_commit') AS commit";
    let row = to.one(sql, &[]).await.unwrap();
    let limits = ["lock", "statement", "idle", "commit"].map(|name| column::<String>(&row, name).unwrap());
    assert_eq!(limits, ["5s", "10s", "5s", "on"]);
    to.batch("SET LOCAL statement_timeout = '20ms'").await.unwrap();
    let slow = to.search("SELECT pg_sleep(2)", &[]).await;
    assert!(matches!(slow, Err(StoreError::TooLong(10))));
    drop(to);
    let to = store.begin().await.unwrap();
    to.batch("SET LOCAL statement_timeout = '20ms'").await.unwrap();
    let slow = cause(to.rows("SELECT pg_sleep(2)", &[]).await);
    assert_eq!(slow, "the database did not finish a statement within 10 s");
    drop(to);

    let holder = store.begin().await.unwrap();
    holder.batch("LOCK TABLE probes IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let to = store.begin().await.unwrap();
    to.batch("SET LOCAL lock_timeout = '20ms'").await.unwrap();
    let refused = cause(to.rows("SELECT 1 FROM probes", &[]).await);
    assert!(refused.starts_with("another transaction kept a lock for too long"), "{refused}");
    assert!(to.is_locked_out());
}
