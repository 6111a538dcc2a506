//! Runs: the deliveries of a plan are sent again one after the other, at a rate, until the plan is empty.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;
use tokio::time::Instant;

use super::replayer::{Asked, Replayer, Target};
use super::request::Edits;
use crate::domain::{DeliveryId, Replay, ReplayId, ReplayRun, RunState, RunStep, StoredDelivery};
use crate::store::StoreError;

/// Places of a plan that are read at once.
const PAGE: usize = 100;
/// The most bytes that are kept of each answer.
const MAX_ANSWER: usize = 1024;
/// The pause after a fault of the store.
const PAUSE: Duration = Duration::from_secs(1);
/// How long requests under way may take before a stopped run can be resumed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Replays many deliveries. A place is taken off the plan in the transaction that stores its result, so an interrupted run
/// continues where it was; requests under way at that moment may be sent twice.
#[derive(Clone)]
pub struct ReplayRuns {
    /// Sends each of them.
    pub replayer: Replayer,
    /// The running ones, each with its switch to halt.
    at_work: Arc<Mutex<HashMap<ReplayId, watch::Sender<bool>>>>,
    stopping: watch::Receiver<bool>,
}

/// The result of resuming or stopping a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// It is running.
    Done,
    /// Its state does not allow that.
    NotSo,
    /// Requests under way when it was stopped are not answered yet.
    NotYet,
}

impl ReplayRuns {
    /// Runs that end when `stopping` becomes true, and can continue at the next start.
    #[must_use]
    pub fn new(replayer: Replayer, stopping: watch::Receiver<bool>) -> Self {
        Self { replayer, at_work: Arc::default(), stopping }
    }

    /// Keeps a run with its plan and starts it.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn start(&self, run: ReplayRun, plan: &[DeliveryId]) -> Result<(), StoreError> {
        self.replayer.store.add_run(run.clone(), plan).await?;
        self.go(run);
        Ok(())
    }

    /// Continues the runs that were active when the program ended.
    pub fn take_up(&self, running: Vec<ReplayRun>) {
        running.into_iter().for_each(|run| self.go(run));
    }

    /// Stops a run after its requests under way; `false` if it is not running.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn stop(&self, id: ReplayId) -> Result<bool, StoreError> {
        let turned = self.replayer.store.turn_run(id, RunState::Running, RunState::Stopped, None).await?;
        self.halt(id);
        Ok(turned)
    }

    /// Resumes a stopped run.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn resume(&self, id: ReplayId) -> Result<Turned, StoreError> {
        let end = Instant::now() + PATIENCE;
        while self.lock().contains_key(&id) {
            let found = self.replayer.store.run(id).await?;
            if found.is_none_or(|run| run.state != RunState::Stopped) {
                return Ok(Turned::NotSo);
            }
            if Instant::now() > end {
                return Ok(Turned::NotYet);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let store = &self.replayer.store;
        if !store.turn_run(id, RunState::Stopped, RunState::Running, None).await? {
            return Ok(Turned::NotSo);
        }
        if let Some(run) = store.run(id).await? {
            self.go(run);
        }
        Ok(Turned::Done)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ReplayId, watch::Sender<bool>>> {
        self.at_work.lock()
    }

    fn halt(&self, id: ReplayId) {
        if let Some(halt) = self.lock().get(&id) {
            halt.send_replace(true);
        }
    }

    fn go(&self, run: ReplayRun) {
        let walk = Walk::of(self.clone(), run);
        if self.lock().insert(walk.run.id, walk.halt.clone()).is_some() {
            tracing::error!(run = %walk.run.id, "a run of replays was started twice");
        }
        let (runs, id) = (self.clone(), walk.run.id);
        tokio::spawn(async move {
            let workers = runs.replayer.sender.metrics().workers();
            if workers.watch("replay-run", Arc::new(walk).go()).await.is_none() {
                let why = "a fault in the program ended it; see the log".to_owned();
                runs.turn(id, RunState::Stopped, Some(why)).await;
                runs.lock().remove(&id);
            }
        });
    }

    /// Asks the store until it can be used; `None` if the program stops meanwhile.
    async fn patiently<T, F>(&self, ask: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut stopping = self.stopping.clone();
        loop {
            match ask().await {
                Ok(told) => return Some(told),
                Err(fault) => tracing::warn!(%fault, "a run of replays waits for the store"),
            }
            if *stopping.borrow() {
                return None;
            }
            let _ = tokio::time::timeout(PAUSE, stopping.changed()).await;
        }
    }

    async fn turn(&self, id: ReplayId, to: RunState, why: Option<String>) {
        self.patiently(|| self.replayer.store.turn_run(id, RunState::Running, to, why.clone())).await;
    }
}

/// One run on its way.
struct Walk {
    runs: ReplayRuns,
    run: ReplayRun,
    asked: Asked,
    halt: watch::Sender<bool>,
}

impl Walk {
    fn of(runs: ReplayRuns, run: ReplayRun) -> Self {
        let target = match (run.target.as_str(), url::Url::parse(&run.target)) {
            ("receiver", _) => Target::Receiver,
            (_, Ok(url)) if matches!(url.scheme(), "http" | "https") => Target::Url(url),
            (id, _) => Target::Subscription(id.to_owned()),
        };
        let asked = Asked { target, signature: run.signature, edits: Edits::default(), run: Some(run.id) };
        Self { runs, run, asked, halt: watch::Sender::new(false) }
    }

    async fn go(self: Arc<Self>) {
        let at_once = usize::try_from(self.run.concurrency).unwrap_or(1).max(1);
        let places = Places {
            walk: Arc::clone(&self),
            halted: self.halt.subscribe(),
            after: None,
            page: VecDeque::new(),
            due: None,
        };
        stream::unfold(places, |mut places| async move { places.next().await.map(|place| (place, places)) })
            .map(|place| {
                let walk = Arc::clone(&self);
                async move { walk.step(place).await }
            })
            .buffer_unordered(at_once)
            .for_each(std::future::ready)
            .await;
        if !*self.halt.borrow() && !*self.runs.stopping.borrow() {
            self.runs.turn(self.run.id, RunState::Done, None).await;
        }
        self.runs.lock().remove(&self.run.id);
    }

    /// Sends one, and stores the result.
    async fn step(&self, (place, delivery): (u32, DeliveryId)) {
        let Replayer { store, clock, .. } = &self.runs.replayer;
        let Some(found) = self.runs.patiently(|| store.delivery(delivery)).await else { return };
        let replay = match found {
            Some(found) => Some(self.send(found).await),
            None => None,
        };
        let failed = replay.as_ref().and_then(failure);
        let step = match (&replay, &failed) {
            (None, _) => RunStep::Gone,
            (Some(_), None) => RunStep::Sent,
            (Some(_), Some(_)) => RunStep::Failed,
        };
        let place = (self.run.id, place);
        self.runs.patiently(|| store.settle_run(place, step, replay.clone(), clock.wall())).await;
        if let (Some(why), true) = (failed, self.run.stops_on_error) {
            self.halt.send_replace(true);
            let why = format!("delivery {delivery}: {why}");
            self.runs.turn(self.run.id, RunState::Stopped, Some(why)).await;
        }
    }

    async fn send(&self, delivery: StoredDelivery) -> Replay {
        let mut replay = self.runs.replayer.begin(delivery.row.id, &self.asked);
        if let Err(fault) = self.runs.replayer.send(&mut replay, delivery, &self.asked).await {
            replay.error = Some(fault.to_string());
        }
        // The start of each response is enough.
        replay.answer.truncate(MAX_ANSWER);
        replay
    }
}

/// Why a replay failed; `None` if it did not.
fn failure(replay: &Replay) -> Option<String> {
    match (replay.status, &replay.error) {
        (_, Some(error)) => Some(error.clone()),
        (Some(status), None) if status >= 400 => Some(format!("it was answered {status}")),
        _ => None,
    }
}

/// The places of a plan, each when it is due.
struct Places {
    walk: Arc<Walk>,
    halted: watch::Receiver<bool>,
    after: Option<u32>,
    page: VecDeque<(u32, DeliveryId)>,
    due: Option<Instant>,
}

impl Places {
    async fn next(&mut self) -> Option<(u32, DeliveryId)> {
        let Walk { runs, run, .. } = &*self.walk;
        if self.page.is_empty() {
            let after = self.after;
            self.page = runs.patiently(|| runs.replayer.store.next_of_run(run.id, after, PAGE)).await?.into();
        }
        let mut stopping = runs.stopping.clone();
        if let (Some(due), false) = (self.due, self.page.is_empty()) {
            tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                _ = self.halted.wait_for(|is_halted| *is_halted) => return None,
                _ = stopping.wait_for(|is_stopping| *is_stopping) => return None,
            }
        }
        if *self.halted.borrow() || *stopping.borrow() {
            return None;
        }
        let gap = run.per_second.and_then(|rate| Duration::try_from_secs_f64(rate.recip()).ok());
        // Delays are not made up for: a rate is never exceeded.
        self.due = gap.map(|gap| self.due.map_or_else(Instant::now, |due| due.max(Instant::now())) + gap);
        let next = self.page.pop_front()?;
        self.after = Some(next.0);
        Some(next)
    }
}
