//! One step: reads a stretch of the log, and writes what it told.

use std::sync::Arc;
use std::time::Duration;

use super::batch::{Batch, Count, Counts, Rules};
use super::silences::Silences;
use crate::domain::{Clock, SilenceAfter, Source, Timestamp};
use crate::send::{OWN_EVENTS, Sender};
use crate::store::{Store, StoreError};

/// The most deliveries of one step.
const STEP: usize = 128;
/// The most bytes of bodies of one step, the last one excepted.
const STEP_BYTES: usize = 8 * 1024 * 1024;
/// Deliveries stand in the log in the order in which they were written; those that came so long before one stand before it.
const SLOWEST: Duration = Duration::from_secs(60);
/// With so many deliveries waiting for the writer, receiving comes first.
const BUSY: usize = 32;
/// It pauses so many times as long as it worked.
const PAUSE: u32 = 1;
/// And so many times beside receiving that is busy.
const PAUSE_BUSY: u32 = 12;

/// Who learns from the log.
pub struct Learner {
    pub(super) store: Store,
    pub(super) sender: Sender,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sources: Arc<dyn Fn() -> Vec<Source> + Send + Sync>,
    pub(super) silences: Silences,
    counts: Counts,
    cursor: i64,
    /// Up to here it is history: nobody is told of silences that are long past.
    since: i64,
    /// The log is learnt up to deliveries of that time; `None`: to its end.
    behind: Option<Timestamp>,
}

impl Learner {
    /// One that goes on where the last one ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(
        store: Store,
        sender: Sender,
        sources: Arc<dyn Fn() -> Vec<Source> + Send + Sync>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let state = store.lens_state().await?;
        let known = store.drift_types().await?;
        let counts = known
            .into_iter()
            .map(|known| {
                let count =
                    Count { deliveries: known.deliveries, samples: known.samples, fields: known.fields };
                ((known.source, known.event_type), count)
            })
            .collect();
        let silences = Silences::resume(state.heard_at);
        Ok(Self {
            store,
            sender,
            clock,
            sources,
            silences,
            counts,
            cursor: state.cursor,
            since: state.since,
            behind: None,
        })
    }

    /// One step; `false`: there is nothing more to learn now.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn step(&mut self) -> Result<bool, StoreError> {
        let (found, end) = self.store.unlearnt(self.cursor, STEP, STEP_BYTES).await?;
        if end == self.cursor {
            self.behind = None;
            return Ok(false);
        }
        let is_history = self.cursor < self.since;
        let mut through = if is_history { end.min(self.since) } else { end };
        let found = found.into_iter().filter(|delivery| delivery.row.seq <= through).collect::<Vec<_>>();
        let sources = (self.sources)();
        let mut counts = self.counts.clone();
        let mut batch = Batch::default();
        for delivery in found {
            let seq = delivery.row.seq;
            let source = sources.iter().find(|source| source.name == delivery.row.source);
            let is_own = |event_type: &String| OWN_EVENTS.contains(&event_type.as_str());
            let rules = Rules {
                entity_pointer: source.map_or("", |source| &source.entity),
                silence_after: source.map_or(SilenceAfter::Off, |source| source.silence_after),
                is_alive: !delivery.row.event_type.as_ref().is_some_and(is_own),
            };
            let text = self.sender.read_payload(&delivery.row.source, &delivery.headers, &delivery.body);
            // What cannot be read any more, by the rules as they are now, is counted all the same.
            batch.add(&delivery.row, &text.unwrap_or_default(), &rules, &mut counts);
            self.behind = Some(delivery.row.received_at.minus(SLOWEST));
            if batch.is_full() {
                through = seq;
                break;
            }
        }
        if self.store.learn(batch.learnt(self.cursor, through)).await? {
            self.counts = counts;
            self.cursor = through;
        } else {
            // Somebody else learnt that: begin where that one ended.
            self.cursor = self.store.lens_state().await?.cursor;
        }
        Ok(true)
    }

    /// Until when it is known who was heard of; `None`: that is not known yet.
    pub(super) fn known_until(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        (self.cursor >= self.since).then(|| self.behind.map_or(now, |behind| behind.min(now)))
    }

    /// How long to pause after work of that length.
    pub(super) fn pause_after(&self, worked: Duration) -> Duration {
        let is_busy = self.store.queue_depth() >= BUSY;
        worked.saturating_mul(if is_busy { PAUSE_BUSY } else { PAUSE })
    }
}
