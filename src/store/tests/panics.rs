//! The writer after a panic in code that it calls.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::store::sqlite::Sqlite;

/// A clock that panics once.
struct Broken {
    inner: Arc<ManualClock>,
    is_broken: AtomicBool,
}

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        let is_writer = std::thread::current()
            .name()
            .is_some_and(|name| ["store-writer", "store-postgres"].contains(&name));
        assert!(!is_writer || !self.is_broken.swap(false, Ordering::SeqCst), "the clock is broken");
        self.inner.now()
    }

    fn wall(&self) -> Timestamp {
        self.inner.wall()
    }
}

#[tokio::test]
async fn a_writer_that_panics_acknowledges_nothing_of_that_batch_and_writes_the_next() {
    let manual = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let clock = Arc::new(Broken { inner: manual, is_broken: AtomicBool::new(false) });
    let watched = Arc::<Broken>::clone(&clock);
    let case = open_with(move |options| options.clock = watched).await;
    assert!(is_new(&case.put(case.with_id("before", 1)).await));
    let mut acknowledged = 1;
    for round in 1..=3 {
        clock.is_broken.store(true, Ordering::SeqCst);
        // If retention asked the clock first, retention got the panic.
        acknowledged += usize::from(case.store.append(case.with_id("lost", 2)).await.is_ok());
        assert!(is_new(&case.put(case.with_id(&format!("after-{round}"), 3)).await));
        acknowledged += 1;
        assert!(case.store.ready().await.is_ok());
        assert_eq!(case.store.queue_depth(), 0);
    }
    let panicked = case.options.workers.panicked_within(Duration::from_secs(3600));
    assert_eq!((panicked[0].0, panicked[0].1.times), ("store-writer", 3));
    assert_eq!(case.verdicts().await.len(), acknowledged);
    let case = case.reopen().await;
    assert_eq!(case.verdicts().await.len(), acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_ours_ends_no_thread() {
    let case = open().await;
    case.store.close().await;
    let sqlite = Sqlite::open(case.options.clone(), case.folder.path().join("t.db")).unwrap();
    for _ in 0..5 {
        let asked = sqlite.read(|_| -> rusqlite::Result<()> { panic!("a fault of ours, meant") }).await;
        assert!(asked.is_err());
        let done = sqlite
            .add(|connection| -> rusqlite::Result<()> {
                connection.execute("DELETE FROM deliveries", [])?;
                panic!("a fault of ours, meant")
            })
            .await;
        assert!(done.is_err());
        sqlite.append(case.entry(Decision::Capture(200))).await.unwrap();
    }
    let rows = sqlite.list(&DeliveryFilter::default(), None, 9).await.unwrap();
    assert_eq!(rows.len(), 5, "what the job did is undone");
    sqlite.ready().await.unwrap();
}
