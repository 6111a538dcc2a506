//! Runs over history, in the background and in memory: a draft is not stored anywhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use super::judge::{Flip, Passed, Side, before, flip, is_cut, passes};
use super::today::PassesToday;
use crate::catalog::Catalog;
use crate::domain::{ClientAddress, DeliveryFilter, ReplayId, Source, StoredDelivery, Timestamp, Verdict};
use crate::receive::{Masking, Receiver};
use crate::store::{Store, StoreError};
use crate::telemetry::Workers;

/// The most deliveries of a run.
const MOST: usize = 100_000;
/// The most runs that are remembered.
const REMEMBERED: usize = 8;
/// The most flips of a run that are listed; more are only counted.
const LISTED: usize = 1_000;
/// The most deliveries of one event that are looked through for the accepted one.
const SAME_EVENT: usize = 50;
/// Deliveries read at once.
const PAGE: usize = 100;
/// A run pauses this many times as long as it worked: it takes a quarter of a processor.
const PAUSE: u32 = 3;

/// The request.
#[derive(Debug)]
pub struct Asked {
    /// The source as it would be.
    pub source: Source,
    /// The schemas as they would be; `None`: as they are.
    pub catalog: Option<Catalog>,
    /// Its configuration, without any secret.
    pub configuration: String,
    /// How many of its deliveries are looked at, the newest ones.
    pub last: usize,
    /// Which of them.
    pub filter: DeliveryFilter,
    /// The same as it was typed; empty: all of the source.
    pub search: String,
    /// Whether the draft changes only secrets.
    pub only_secrets: bool,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is running.
    Running,
    /// It is finished.
    Done,
    /// It was cancelled.
    Cancelled,
    /// The store could not be read.
    Failed,
}

impl State {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// A run and what it found so far.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Its id.
    pub id: ReplayId,
    /// The source that was drafted.
    pub source: String,
    /// Its configuration, without any secret.
    pub configuration: String,
    /// The search that narrows it; empty: all deliveries of the source.
    pub search: String,
    /// Whether the draft changes only secrets.
    pub only_secrets: bool,
    /// Whether more, older deliveries match.
    pub has_more: bool,
    /// How far it is.
    pub state: State,
    /// Deliveries checked.
    pub done: usize,
    /// The most deliveries to check.
    pub total: usize,
    /// Deliveries that were refused and would pass.
    pub would_pass: usize,
    /// Deliveries that passed and would be refused.
    pub would_be_refused: usize,
    /// Deliveries that would be refused for another reason.
    pub other_reason: usize,
    /// Deliveries that would pass as before, with another event type or id.
    pub other_event: usize,
    /// Deliveries whose body is incomplete.
    pub cannot_tell: usize,
    /// The flips, the newest deliveries first.
    pub flips: Vec<Flip>,
}

struct Run {
    progress: Mutex<Progress>,
    is_cancelled: AtomicBool,
}

/// Re-checks stored deliveries by drafted rules.
#[derive(Clone)]
pub struct WhatIf {
    store: Store,
    catalog: Arc<Catalog>,
    masking: Arc<Masking>,
    max_body: usize,
    workers: Workers,
    runs: Arc<Mutex<BTreeMap<ReplayId, Arc<Run>>>>,
}

impl WhatIf {
    /// Over the deliveries of `store`, by the receiver's other rules.
    #[must_use]
    pub fn new(
        store: Store,
        catalog: Arc<Catalog>,
        masking: Arc<Masking>,
        max_body: usize,
        workers: Workers,
    ) -> Self {
        Self { store, catalog, masking, max_body, workers, runs: Arc::default() }
    }

    /// Starts a run; the oldest finished ones are forgotten. `None` if too many are running.
    #[must_use]
    pub fn start(&self, asked: Asked, now: Timestamp) -> Option<ReplayId> {
        let id = ReplayId::new_at(now);
        let progress = Progress {
            id,
            source: asked.source.name.clone(),
            configuration: asked.configuration.clone(),
            search: asked.search.clone(),
            only_secrets: asked.only_secrets,
            has_more: false,
            state: State::Running,
            done: 0,
            total: asked.last.min(MOST),
            would_pass: 0,
            would_be_refused: 0,
            other_reason: 0,
            other_event: 0,
            cannot_tell: 0,
            flips: Vec::new(),
        };
        let run = Arc::new(Run { progress: Mutex::new(progress), is_cancelled: AtomicBool::new(false) });
        let mut runs = self.runs.lock();
        while runs.len() >= REMEMBERED {
            let over = runs.iter().find(|(_, run)| run.state() != State::Running).map(|(id, _)| *id)?;
            runs.remove(&over);
        }
        runs.insert(id, Arc::clone(&run));
        drop(runs);
        let this = self.clone();
        tokio::spawn(async move {
            let state = match this.workers.watch("what-if-run", this.walk(&run, asked)).await {
                Some(Ok(state)) => state,
                Some(Err(fault)) => {
                    tracing::error!(%fault, "a run over history cannot read the store");
                    State::Failed
                }
                None => State::Failed,
            };
            run.change(|progress| progress.state = state);
        });
        Some(id)
    }

    /// Whether `receiver`, which has today's rules, lets a rejected delivery from `client` pass.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn passes_today(
        &self,
        delivery: &Arc<StoredDelivery>,
        client: ClientAddress,
        receiver: Arc<Receiver>,
    ) -> Result<Option<PassesToday>, StoreError> {
        let (stored, masking) = (Arc::clone(delivery), Arc::clone(&self.masking));
        let judged = tokio::task::spawn_blocking(move || passes(&stored, client, &receiver, &masking));
        let Ok(Some(Passed { event_id })) = judged.await else { return Ok(None) };
        let same = match event_id {
            Some(id) => self.store.of_event(&delivery.row.source, &id, SAME_EVENT).await?,
            None => Vec::new(),
        };
        let accepted = same.iter().find(|row| row.verdict == Verdict::Accepted);
        Ok(Some(PassesToday { accepted_in: accepted.map(|row| row.id) }))
    }

    /// The run of an id, with what it found so far.
    #[must_use]
    pub fn progress(&self, id: ReplayId) -> Option<Progress> {
        let runs = self.runs.lock();
        runs.get(&id).map(|run| run.progress.lock().clone())
    }

    /// Ends a run; `false` if there is none.
    #[must_use]
    pub fn cancel(&self, id: ReplayId) -> bool {
        let runs = self.runs.lock();
        let Some(run) = runs.get(&id) else { return false };
        run.is_cancelled.store(true, Ordering::Release);
        true
    }

    async fn walk(&self, run: &Arc<Run>, asked: Asked) -> Result<State, StoreError> {
        let Asked { source, catalog, mut filter, last, .. } = asked;
        filter.source = Some(source.name.clone());
        let receiver = Receiver::new(
            vec![source.clone()],
            catalog.map_or_else(|| Arc::clone(&self.catalog), Arc::new),
            Arc::clone(&self.masking),
            self.max_body,
        );
        let judge = Arc::new((receiver, source));
        let mut left = last.min(MOST);
        let mut before = None;
        while left > 0 {
            let rows = self.store.list(&filter, before, left.min(PAGE)).await?;
            let Some(oldest) = rows.last() else { break };
            before = Some(oldest.seq);
            left = left.saturating_sub(rows.len());
            for row in rows {
                if run.is_cancelled.load(Ordering::Acquire) {
                    return Ok(State::Cancelled);
                }
                let began = Instant::now();
                self.look_at(run, &judge, row.id).await?;
                tokio::time::sleep(began.elapsed().saturating_mul(PAUSE)).await;
            }
        }
        let has_more = left == 0 && !self.store.list(&filter, before, 1).await?.is_empty();
        run.change(|progress| {
            progress.total = progress.done;
            progress.has_more = has_more;
        });
        Ok(State::Done)
    }

    async fn look_at(
        &self,
        run: &Arc<Run>,
        judge: &Arc<(Receiver, Source)>,
        id: crate::domain::DeliveryId,
    ) -> Result<(), StoreError> {
        // Retention may have removed it meanwhile.
        let Some(delivery) = self.store.delivery(id).await? else {
            run.change(|progress| progress.done = progress.done.saturating_add(1));
            return Ok(());
        };
        let (judge, masking, run) = (Arc::clone(judge), Arc::clone(&self.masking), Arc::clone(run));
        let judged = tokio::task::spawn_blocking(move || {
            let was = before(&delivery);
            let cut = is_cut(&delivery);
            let flip = was
                .as_ref()
                .filter(|_| !cut)
                .and_then(|was| flip(&delivery, was, &judge.0, &judge.1, &masking));
            run.change(|progress| progress.count(flip, cut));
        });
        if judged.await.is_err() {
            // The run continues with the next delivery.
            self.workers.panicked("what-if-run");
        }
        Ok(())
    }
}

impl Run {
    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock());
    }

    fn state(&self) -> State {
        self.progress.lock().state
    }
}

impl Progress {
    /// Whether its configuration is worth applying: a secret that lets nothing pass is not the sender's.
    #[must_use]
    pub const fn is_useful(&self) -> bool {
        self.would_pass > 0 || !self.only_secrets
    }

    fn count(&mut self, flip: Option<Flip>, is_cut: bool) {
        let add = |count: &mut usize| *count = count.saturating_add(1);
        add(&mut self.done);
        if is_cut {
            add(&mut self.cannot_tell);
        }
        let Some(flip) = flip else { return };
        match (&flip.before, &flip.after) {
            (Side::Refused(_), Side::Passes) => add(&mut self.would_pass),
            (Side::Passes, Side::Refused(_)) => add(&mut self.would_be_refused),
            (Side::Passes, Side::Passes) => add(&mut self.other_event),
            _ => add(&mut self.other_reason),
        }
        if self.flips.len() < LISTED {
            self.flips.push(flip);
        }
    }
}
