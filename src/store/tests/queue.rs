//! The queue of deliveries that wait to be written, and its end.

use std::sync::mpsc;

use futures_util::FutureExt as _;

use super::*;
use crate::store::sqlite::Sqlite;

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_what_was_taken_is_kept() {
    let case = Arc::new(open_with(|options| options.queue_bytes = 100_000).await);
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let case = Arc::clone(&case);
            tokio::spawn(async move {
                let mut entry = case.entry(Decision::Accept(None));
                entry.delivery.body = Bytes::from(vec![b'x'; 20_000]);
                case.store.append(entry).await
            })
        })
        .collect();
    let mut written = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => written += 1,
            Err(fault) => assert!(matches!(fault, StoreError::Full), "{fault}"),
        }
    }
    assert!((1..200).contains(&written), "{written}");
    assert_eq!(case.verdicts().await.len(), written);
    assert!(is_new(&case.put(case.entry(Decision::Accept(None))).await));
}

#[tokio::test]
async fn a_store_that_rested_has_everything_and_goes_on() {
    let case = open().await;
    assert!(is_new(&case.put(case.with_id("before", 1)).await));
    case.store.rest().await.unwrap();
    assert!(is_new(&case.put(case.with_id("after", 1)).await));
    assert!(!is_new(&case.put(case.with_id("before", 1)).await), "its id is known");
    assert_eq!(case.verdicts().await.len(), 3);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let case = open().await;
    case.store.close().await;
    let fault = case.store.append(case.entry(Decision::Accept(None))).await.unwrap_err();
    assert!(matches!(fault, StoreError::Unavailable(_)));
    assert!(case.store.ready().await.is_err());
    assert!(case.folder.path().exists());
}

#[tokio::test]
async fn everything_that_waits_is_written_before_the_store_is_closed() {
    let case = open().await;
    let ids: Vec<String> = (0..100).map(|at| format!("e{at}")).collect();
    let appended =
        futures_util::future::join_all(ids.iter().map(|id| case.store.append(case.with_id(id, 1))));
    let (appended, ()) = tokio::join!(appended, case.store.close());
    assert!(appended.iter().all(Result::is_ok), "each was in the queue");
    let case = case.reopen().await;
    assert_eq!(case.verdicts().await.len(), 100);
}

#[tokio::test]
async fn what_arrives_while_a_transaction_is_filled_is_a_part_of_it() {
    let case = open().await;
    case.store.close().await;
    let file = case.folder.path().join("t.db");
    let sqlite = Sqlite::open(case.options.clone(), file.clone()).unwrap();
    let rows = |connection: &rusqlite::Connection| -> rusqlite::Result<(i64, i64)> {
        let both = "SELECT value, (SELECT count(*) FROM deliveries) FROM facts WHERE name = 'probe'";
        connection.query_row(both, [], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    // While this one holds the writer, a delivery and a job come for the next transaction.
    let (let_go, held) = mpsc::channel();
    let mut hold = Box::pin(sqlite.add(move |_| {
        held.recv().unwrap();
        Ok(())
    }));
    assert!(hold.as_mut().now_or_never().is_none());
    let ((began, begins), (go_on, waits)) = (mpsc::channel(), mpsc::channel());
    let mut job = Box::pin(sqlite.add(move |connection| {
        connection.execute("UPDATE facts SET value = 7 WHERE name = 'probe'", [])?;
        began.send(()).unwrap();
        waits.recv().unwrap();
        Ok(())
    }));
    let mut first = Box::pin(sqlite.append(case.with_id("first", 1)));
    assert!(first.as_mut().now_or_never().is_none());
    assert!(job.as_mut().now_or_never().is_none());
    let_go.send(()).unwrap();
    begins.recv().unwrap();
    let mut appended = Box::pin(sqlite.append(case.with_id("during", 1)));
    assert!(appended.as_mut().now_or_never().is_none(), "it is in the queue");
    let mut look = Box::pin(sqlite.add(move |inside| {
        let outside = rusqlite::Connection::open(&file)?;
        Ok((rows(inside)?, rows(&outside)?))
    }));
    assert!(look.as_mut().now_or_never().is_none());
    go_on.send(()).unwrap();
    let ((), (), seen, _, written) = tokio::try_join!(hold, job, look, first, appended).unwrap();
    assert!(is_new(&written.appended));
    assert_eq!(seen, ((7, 2), (0, 0)), "inserted behind the job, and neither is committed yet");
}
