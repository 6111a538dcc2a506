//! One step: reads a stretch of the log, or writes what was read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::{Batch, Count, Counts, Rules};
use super::remembered::Silences;
use crate::domain::{Clock, SilenceAfter, Source, Timestamp};
use crate::payload::Sources;
use crate::send::{OWN_EVENTS, Sender};
use crate::store::{LearnerState, LogSection, LoggedDelivery, Store, StoreError};

/// The most deliveries of one step.
const STEP: usize = 256;
/// The most bytes of bodies of one step, the last one excepted.
const STEP_BYTES: usize = 8 * 1024 * 1024;
/// The log is in the order of writing. A delivery that arrived this long before another one is before it in the log.
const SLOWEST: Duration = Duration::from_secs(60);
/// From this many deliveries waiting for the writer on, receiving comes first.
const BUSY: usize = 8;
/// It pauses this many times as long as it worked.
const PAUSE: u32 = 4;
/// The same while receiving is busy.
const PAUSE_BUSY: u32 = 12;

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There may be more to learn.
    More,
    /// There is nothing more to learn now.
    End,
    /// Another node learnt from the same section and was faster. Nothing was written, and what is stored was read again.
    Overtaken,
}

/// Learns from the log. On each node there is one; a section is counted by whichever writes it first.
pub struct Learner {
    pub(super) store: Store,
    pub(super) sender: Sender,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sources: Sources,
    pub(super) silences: Silences,
    counts: Counts,
    batch: Batch,
    /// The store's turns when its state was read.
    turns: u64,
    /// The cursor that is kept.
    pub(super) cursor: i64,
    /// Up to here the batch was read.
    read: i64,
    /// Up to here it is history: silences that are long past are not reported.
    since: i64,
    /// Deliveries up to that time are learnt; `None`: all of them.
    behind: Option<Timestamp>,
    /// When the last delivery that was read came.
    newest: Timestamp,
}

impl Learner {
    /// One that continues where the last one ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(
        store: Store,
        sender: Sender,
        sources: Sources,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let turns = store.turns();
        let (state, counts) = stored(&store).await?;
        let silences = Silences::resume(state.heard_at);
        Ok(Self {
            store,
            sender,
            clock,
            sources,
            silences,
            counts,
            batch: Batch::default(),
            turns,
            cursor: state.cursor,
            read: state.cursor,
            since: state.since,
            behind: Some(Timestamp::default()),
            newest: Timestamp::default(),
        })
    }

    /// One step, and a pause after it.
    ///
    /// # Errors
    /// When the store cannot be read or written. The rows read so far are lost: start again.
    pub async fn step(&mut self) -> Result<Progress, StoreError> {
        if self.turns != self.store.turns() {
            self.read_again().await?;
        }
        let is_history = self.cursor < self.since;
        if self.batch.is_full() || (is_history && self.read == self.since) {
            return self.write(is_history).await;
        }
        let began = Instant::now();
        let LogSection { deliveries, through, missing_since } =
            self.store.learnable_after(self.read, STEP, STEP_BYTES).await?;
        if through == self.read {
            if self.read != self.cursor {
                return self.write(is_history).await;
            }
            self.behind = missing_since;
            return Ok(Progress::End);
        }
        self.read = if is_history { through.min(self.since) } else { through };
        let sources = self.sources.all();
        for delivery in &deliveries {
            // What is imported says nothing about the devices and senders of this instance.
            if delivery.row.seq <= self.read && !delivery.row.id.is_imported() {
                self.add(delivery, &sources);
            }
        }
        tokio::time::sleep(self.pause_after(began.elapsed())).await;
        Ok(Progress::More)
    }

    fn add(&mut self, delivery: &LoggedDelivery, sources: &[Source]) {
        let row = &delivery.row;
        let heard_at = row.id.made_at();
        self.behind.get_or_insert_with(|| heard_at.minus(SLOWEST));
        self.newest = heard_at;
        let source = sources.iter().find(|source| source.name == row.source);
        let is_own = |event_type: &String| OWN_EVENTS.contains(&event_type.as_str());
        let rules = Rules {
            entity_pointer: source.map_or("", |source| &source.entity),
            time_pointer: source.map_or("", |source| &source.time_pointer),
            silence_after: source.map_or(SilenceAfter::Off, |source| source.silence_after),
            is_alive: !row.event_type.as_ref().is_some_and(is_own),
        };
        let text = self.sources.payload_text(&row.source, &delivery.headers, &delivery.body);
        // What cannot be read any more, by the rules as they are now, is counted all the same.
        self.batch.add(row, &text.unwrap_or_default(), &rules, &mut self.counts);
    }

    /// Writes the batch in parts, and lets deliveries pass between them.
    async fn write(&mut self, is_history: bool) -> Result<Progress, StoreError> {
        let batch = std::mem::take(&mut self.batch);
        let has_any = !batch.is_empty();
        for part in batch.parts(is_history, self.cursor, self.read) {
            let began = Instant::now();
            if !self.store.learn(part).await? {
                self.read_again().await?;
                return Ok(Progress::Overtaken);
            }
            tokio::time::sleep(self.pause_after(began.elapsed())).await;
        }
        self.cursor = self.read;
        if has_any {
            self.behind = Some(self.newest.minus(SLOWEST));
        }
        Ok(Progress::More)
    }

    /// Continues from what is stored. Until the log is read to its end from there, no arrivals are known.
    async fn read_again(&mut self) -> Result<(), StoreError> {
        self.turns = self.store.turns();
        let (state, counts) = stored(&self.store).await?;
        self.counts = counts;
        self.batch = Batch::default();
        self.cursor = state.cursor;
        self.read = state.cursor;
        self.behind = Some(Timestamp::default());
        Ok(())
    }

    /// The time up to which arrivals are known; `None`: not known yet.
    pub(super) fn known_until(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        (self.cursor >= self.since).then(|| self.behind.map_or(now, |behind| behind.min(now)))
    }

    /// How long to pause after work of that length.
    fn pause_after(&self, worked: Duration) -> Duration {
        let is_busy = self.store.queue_depth() >= BUSY;
        worked.saturating_mul(if is_busy { PAUSE_BUSY } else { PAUSE })
    }
}

/// What is stored: the cursor first, so that no event type is older than it.
async fn stored(store: &Store) -> Result<(LearnerState, Counts), StoreError> {
    let state = store.learner_state().await?;
    let known = store.drift_types().await?;
    let counts = known
        .into_iter()
        .map(|known| {
            let count = Count {
                deliveries: known.deliveries,
                samples: known.samples,
                fields: known.fields,
                through: known.through,
            };
            ((known.source, known.event_type), count)
        })
        .collect();
    Ok((state, counts))
}
