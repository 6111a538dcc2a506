//! The learner at work: a thread of its own, behind all others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::step::{Learner, Progress};
use crate::domain::Clock;
use crate::payload::Sources;
use crate::send::Sender;
use crate::store::{Store, StoreError};
use crate::telemetry::Worker;

/// The thread's priority when processors are busy, as in nice(2).
const NICE: i32 = 10;
/// The pause after a fault of the store.
const AFTER_FAULT: Duration = Duration::from_secs(10);
/// The pause after another node was faster. The node that is ahead continues, so usually only one of them reads the log.
const AFTER_OTHERS: Duration = Duration::from_secs(5);
/// How often it looks for silences that are due.
const TICK: Duration = Duration::from_secs(1);
/// What comes within this time is learnt in one go.
const GATHER: Duration = Duration::from_millis(500);
/// How often it checks whether a source asks for silences, while none does.
const IDLE: Duration = Duration::from_secs(30);

/// A learner at work.
pub struct RunningLearner {
    stop: watch::Sender<bool>,
    thread: Worker,
}

impl RunningLearner {
    /// Starts the thread.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        store: Store,
        sender: Sender,
        sources: Sources,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let workers = sender.metrics().workers().clone();
        let thread = workers.start_async("learner", NICE, move || {
            let parts = (store.clone(), sender.clone(), sources.clone(), Arc::clone(&clock));
            let mut stopped = stopped.clone();
            async move {
                tokio::select! {
                    () = learn_for_ever(parts) => {}
                    _ = stopped.wait_for(|stop| *stop) => {}
                }
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Stops; an unfinished step is repeated after the next start.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

type Parts = (Store, Sender, Sources, Arc<dyn Clock>);

async fn learn_for_ever((store, sender, sources, clock): Parts) {
    loop {
        let parts = (store.clone(), sender.clone(), sources.clone(), Arc::clone(&clock));
        if let Err(fault) = learn(parts).await {
            tracing::warn!(%fault, "nothing can be learnt from the log now");
        }
        tokio::time::sleep(AFTER_FAULT).await;
    }
}

async fn learn((store, sender, sources, clock): Parts) -> Result<(), StoreError> {
    let mut newest = store.newest();
    let mut learner = Learner::resume(store, sender, sources, clock).await?;
    let mut reported = Instant::now();
    loop {
        newest.mark_unchanged();
        match learner.step().await? {
            Progress::End => {}
            Progress::More => {
                if reported.elapsed() > TICK {
                    learner.report_silences().await?;
                    reported = Instant::now();
                }
                continue;
            }
            Progress::Overtaken => {
                tokio::time::sleep(AFTER_OTHERS).await;
                continue;
            }
        }
        reported = Instant::now();
        let tick = if learner.report_silences().await? { TICK } else { IDLE };
        tokio::select! {
            changed = newest.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                tokio::time::sleep(GATHER).await;
            }
            () = tokio::time::sleep(tick) => {}
        }
    }
}
