//! Names the cause of each refusal and repeat in the background, so that lists, streams and exports can say it.
//!
//! Its share of a processor is bounded, so that forged signatures cannot keep it busy. A delivery that is skipped
//! gets its cause when somebody opens it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::findings::look_into;
use crate::domain::{Cause, Condition, DeliveryFilter, DeliveryRow, Query, Verdict};
use crate::payload::Sources;
use crate::store::{Store, StoreError};
use crate::telemetry::{Worker, Workers};

/// The thread's priority when processors are busy, as in nice(2).
const NICE: i32 = 5;
/// The pause after a fault of the store.
const AFTER_FAULT: Duration = Duration::from_secs(10);
/// What arrives closer together than this is examined together.
const GATHER: Duration = Duration::from_millis(50);
/// Deliveries of one step.
const STEP: usize = 32;
/// The newest deliveries that are examined after a start.
const HISTORY: i64 = 200;
/// It works at most one part in this many of the time.
const SHARE: u32 = 10;
/// The longest work at once after a pause.
const BURST: Duration = Duration::from_secs(2);

/// The thread that names causes.
pub struct RunningCauses {
    stop: watch::Sender<bool>,
    thread: Worker,
}

impl RunningCauses {
    /// Starts the thread.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(store: Store, sources: Sources, workers: &Workers) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let thread = workers.start_async("causes", NICE, move || {
            let (store, sources) = (store.clone(), sources.clone());
            let mut stopped = stopped.clone();
            async move {
                tokio::select! {
                    () = name_for_ever(store, sources) => {}
                    _ = stopped.wait_for(|stop| *stop) => {}
                }
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Stops.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

async fn name_for_ever(store: Store, sources: Sources) {
    loop {
        match name(&store, &sources).await {
            Ok(()) => return,
            Err(fault) => tracing::warn!(%fault, "the causes of refusals cannot be named now"),
        }
        tokio::time::sleep(AFTER_FAULT).await;
    }
}

/// Names what arrives until the store is closed.
async fn name(store: &Store, sources: &Sources) -> Result<(), StoreError> {
    let mut newest = store.newest();
    let mut through = newest.borrow().saturating_sub(HISTORY).max(0);
    let mut budget = Budget::new(Instant::now());
    let either =
        [Verdict::Rejected, Verdict::Duplicate].map(|verdict| Query::Is(Condition::Verdict(verdict)));
    let filter = DeliveryFilter { q: Some(Query::Any(either.into())), ..DeliveryFilter::default() };
    loop {
        let end = *newest.borrow_and_update();
        while through < end {
            through = if budget.allows(Instant::now()) {
                let tail = store.since(&filter, through, STEP).await?;
                let found = causes_of(store, sources, tail.rows, &mut budget).await?;
                if !found.is_empty() {
                    store.name_causes(found).await?;
                }
                tail.through
            } else {
                end
            };
            store.causes_are_named(through);
        }
        if newest.changed().await.is_err() {
            return Ok(());
        }
        tokio::time::sleep(GATHER).await;
    }
}

/// The causes of as many of `rows` as the budget allows.
async fn causes_of(
    store: &Store,
    sources: &Sources,
    rows: Vec<DeliveryRow>,
    budget: &mut Budget,
) -> Result<Vec<(i64, Cause)>, StoreError> {
    let mut found = Vec::new();
    for row in rows.into_iter().filter(|row| row.cause.is_none()) {
        let began = Instant::now();
        if !budget.allows(began) {
            break;
        }
        if let Some(delivery) = store.delivery(row.id).await? {
            let (_, findings) = look_into(store, sources, Arc::new(delivery), None).await;
            found.extend(findings.cause(row.verdict).map(|cause| (row.seq, cause)));
        }
        budget.spend(began.elapsed());
    }
    Ok(found)
}

/// The share of the time that it may work.
struct Budget {
    owed: Duration,
    at: Instant,
}

impl Budget {
    const fn new(now: Instant) -> Self {
        Self { owed: Duration::ZERO, at: now }
    }

    /// Whether it may work now.
    fn allows(&mut self, now: Instant) -> bool {
        let paid = now.saturating_duration_since(self.at).checked_div(SHARE).unwrap_or_default();
        self.owed = self.owed.saturating_sub(paid);
        self.at = now;
        self.owed < BURST
    }

    fn spend(&mut self, worked: Duration) {
        self.owed = self.owed.saturating_add(worked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_keeps_it_busy_gets_a_tenth_of_the_time_after_a_burst() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        let work = Duration::from_millis(100);
        let (mut now, mut worked) = (start, Duration::ZERO);
        // Two minutes in which there is always something to do.
        while now < start + Duration::from_secs(120) {
            if budget.allows(now) {
                budget.spend(work);
                worked += work;
            }
            now += work;
        }
        assert!(worked >= Duration::from_secs(12) && worked <= Duration::from_secs(15), "{worked:?}");
        assert!(budget.allows(now + Duration::from_secs(30)));
    }
}
