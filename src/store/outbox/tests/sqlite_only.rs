//! What only SQLite promises: its one writer does other work between the jobs that wait for it.

use super::*;
use crate::store::Place;

#[tokio::test]
async fn a_delivery_does_not_wait_for_all_the_jobs_that_came_before_it() {
    let case = open().await;
    if !matches!(case.options.place, Place::Sqlite(_)) {
        return;
    }
    let lanes: Vec<String> = (0..400).map(|at| format!("s{at}")).collect();
    for id in &lanes {
        case.put(id, true).await;
    }
    let targets: Vec<&str> = lanes.iter().map(String::as_str).collect();
    let ids: Vec<String> = (0..60).map(|at| format!("e{at}")).collect();
    let published = futures_util::future::join_all(ids.iter().map(|id| case.publish(id, &targets)));
    let ready = async {
        case.store.ready().await.unwrap();
        let done = case.store.messages(MessageFilter::default(), Some(i64::MAX), 1).await.unwrap();
        done.first().map_or(0, |row| row.seq)
    };
    let (published, made) = tokio::join!(published, ready);
    assert!(published.iter().all(|published| *published == Published::New(400)));
    assert!(made < 400 * 60, "it waited for all of them");
    case.store.close().await;
    let store = Store::open(case.options.clone()).await.unwrap();
    let last = store.messages(MessageFilter::default(), None, 1).await.unwrap().remove(0);
    assert_eq!(last.seq, 400 * 60);
}
