//! Names the cause of each refusal and repeat in the background, so that lists, streams and exports can say it.
//!
//! One node at a time does so. Its share of a processor is bounded, so that forged signatures cannot keep it busy. A
//! delivery that is skipped gets its cause when somebody opens it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::findings::look_into;
use crate::domain::{Cause, Condition, DeliveryFilter, DeliveryRow, Query, Verdict};
use crate::payload::Sources;
use crate::send::{Duty, Sender};
use crate::store::{Store, StoreError};
use crate::telemetry::Worker;

/// The thread's priority when processors are busy, as in nice(2).
const NICE: i32 = 5;
/// The pause after a fault of the store.
const AFTER_FAULT: Duration = Duration::from_secs(10);
/// What arrives closer together than this is examined together.
const GATHER: Duration = Duration::from_millis(50);
/// Deliveries of one step.
const STEP: usize = 32;
/// The newest deliveries that are examined after a start.
const HISTORY: usize = 200;
/// How often a node that only waits notes how far the log is, and for how many of these the task may rest when the node that
/// had it dies: for the lease, with a margin.
const NOTED_EVERY: Duration = Duty::PAUSE;
const NOTED: usize = 8;
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
    pub fn start(sender: Sender, sources: Sources) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let workers = sender.metrics().workers().clone();
        let thread = workers.start_async("causes", NICE, move || {
            let (sender, sources) = (sender.clone(), sources.clone());
            let mut stopped = stopped.clone();
            async move {
                tokio::select! {
                    () = name_for_ever(sender, sources) => {}
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

async fn name_for_ever(sender: Sender, sources: Sources) {
    loop {
        match name(&sender, &sources).await {
            Ok(()) => return,
            Err(fault) => tracing::warn!(%fault, "the causes of refusals cannot be named now"),
        }
        tokio::time::sleep(AFTER_FAULT).await;
    }
}

/// Names what arrives, while the task is this node's, until the store is closed.
async fn name(sender: &Sender, sources: &Sources) -> Result<(), StoreError> {
    let store = sender.store();
    let mut newest = store.newest();
    let mut duty = Duty::new("causes");
    let mut budget = Budget::new(Instant::now());
    let mut noted = VecDeque::from([*newest.borrow()]);
    let mut through = None;
    let mut turns = store.turns();
    loop {
        if !duty.is_ours(sender).await {
            through = None;
            // What is older was named by the node that has the task.
            store.causes_are_named(oldest(&noted));
            tokio::time::sleep(NOTED_EVERY).await;
            if newest.has_changed().is_err() {
                return Ok(());
            }
            note(&mut noted, *newest.borrow_and_update());
            continue;
        }
        let end = *newest.borrow_and_update();
        // A standby that took over may lack the causes of the last deliveries that it has.
        let before = std::mem::replace(&mut turns, store.turns());
        let at = match through.filter(|_| before == turns) {
            Some(through) => end.min(through),
            None => before_newest(store, HISTORY).await?.min(oldest(&noted)),
        };
        if at < end {
            let next = step(store, sources, (at, end), &mut budget).await?;
            store.causes_are_named(next);
            note(&mut noted, next);
            through = Some(next);
            continue;
        }
        through = Some(at);
        // The task is kept while nothing happens.
        match timeout(Duty::PAUSE, newest.changed()).await {
            Ok(Ok(())) => tokio::time::sleep(GATHER).await,
            Ok(Err(_)) => return Ok(()),
            Err(_) => {}
        }
    }
}

fn oldest(noted: &VecDeque<i64>) -> i64 {
    noted.front().copied().unwrap_or_default()
}

fn note(noted: &mut VecDeque<i64>, position: i64) {
    noted.push_back(position);
    if noted.len() > NOTED {
        noted.pop_front();
    }
}

/// The position before the newest `count` deliveries.
async fn before_newest(store: &Store, count: usize) -> Result<i64, StoreError> {
    let rows = store.list(&DeliveryFilter::default(), None, count).await?;
    Ok(rows.last().map_or(0, |oldest| oldest.seq.saturating_sub(1)))
}

/// Names the causes of the next deliveries after `at`, or of none up to `end` while there is no time for them. Returns how
/// far it came.
async fn step(
    store: &Store,
    sources: &Sources,
    (at, end): (i64, i64),
    budget: &mut Budget,
) -> Result<i64, StoreError> {
    if !budget.allows(Instant::now()) {
        return Ok(end);
    }
    let either =
        [Verdict::Rejected, Verdict::Duplicate].map(|verdict| Query::Is(Condition::Verdict(verdict)));
    let filter = DeliveryFilter { q: Some(Query::Any(either.into())), ..DeliveryFilter::default() };
    let tail = store.since(&filter, at, STEP).await?;
    let found = causes_of(store, sources, tail.rows, budget).await?;
    if !found.is_empty() {
        store.name_causes(found).await?;
    }
    Ok(tail.through)
}

/// The causes of as many of `rows` as the budget allows.
async fn causes_of(
    store: &Store,
    sources: &Sources,
    rows: Vec<DeliveryRow>,
    budget: &mut Budget,
) -> Result<Vec<(i64, Cause)>, StoreError> {
    let mut found = Vec::new();
    for row in rows.into_iter().filter(|row| row.cause.is_none() && !row.id.is_imported()) {
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
