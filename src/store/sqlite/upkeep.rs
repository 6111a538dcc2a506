//! The work of the writer's thread between batches: retention in small steps, and returning room to the disk.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::ErrorCode;

use super::checkpoint::move_log;
use super::writer::Work;
use crate::domain::Verdict;
use crate::store::upkeep::sqlite::retention::{self, Limits, Step};
use crate::store::{Pruned, StoreError};

/// How often retention checks for work if nothing calls it.
const EVERY: Duration = Duration::from_secs(2);
/// A step ends after this time with the rows that it has removed.
const STEP_TIME: Duration = Duration::from_millis(4);
/// After each step, retention pauses for so many times as long, unless the store is too large: most deliveries do not wait for
/// it.
const PAUSE: u32 = 2;
/// It pauses at least this long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

impl Work {
    pub(super) fn is_over_size(&self) -> bool {
        self.shared.used.load(Ordering::Relaxed) > self.options.retention.max_size
    }

    /// One small step of retention. Returns how long it then pauses.
    pub(super) fn look_after_retention(&mut self) -> Duration {
        let began = Instant::now();
        if self.remove_a_little() { began.elapsed().saturating_mul(PAUSE).max(SHORTEST_PAUSE) } else { EVERY }
    }

    /// `true` if there is more to do.
    fn remove_a_little(&mut self) -> bool {
        if self.read_ahead.is_reading() {
            return true;
        }
        let read = self.read_ahead.read();
        match self.retention_step(&read) {
            Ok(Step::Unread(unread)) => {
                self.read_ahead.ask(unread);
                true
            }
            Ok(Step::Removed { deliveries, event_ids, messages }) => {
                self.removed.deliveries = self.removed.deliveries.saturating_add(deliveries);
                self.removed.event_ids = self.removed.event_ids.saturating_add(event_ids);
                self.removed.messages = self.removed.messages.saturating_add(messages);
                true
            }
            Ok(Step::Nothing) => {
                let Pruned { deliveries, event_ids, messages } = std::mem::take(&mut self.removed);
                if deliveries > 0 || event_ids > 0 || messages > 0 {
                    tracing::info!(deliveries, event_ids, messages, "retention removed");
                }
                if let Err(fault) = retention::give_back_a_little(&self.connection) {
                    tracing::warn!(%fault, "free pages could not be given back");
                    self.recover(&fault);
                }
                false
            }
            Err(fault) => {
                tracing::error!(%fault, "retention could not run");
                if fault.sqlite_error_code() == Some(ErrorCode::DiskFull) {
                    self.shared.release_reserve();
                }
                false
            }
        }
    }

    /// One step, which removes nothing behind the position that `read` gives for a verdict.
    fn retention_step(&mut self, read: &dyn Fn(Verdict) -> i64) -> rusqlite::Result<Step> {
        let now = self.ages.trusted(self.options.clock.both());
        let began = Instant::now();
        let limits = Limits { read, is_over: &|| began.elapsed() >= STEP_TIME };
        let retention = &self.options.retention;
        let step = retention::step(&mut self.connection, &mut self.event_ids, retention, now, &limits);
        if let Err(fault) = &step {
            self.recover(fault);
        }
        let step = step?;
        if let Step::Unread(_) = step {
            return Ok(step);
        }
        // Read from the file each time: `tagohook prune` may run next to us.
        self.shared.set_pruned_through(retention::pruned_through(&self.connection)?);
        self.shared.used.store(retention::used_bytes(&self.connection)?, Ordering::Relaxed);
        let is_stuck = step == Step::Nothing && self.is_over_size();
        if is_stuck && self.blocked.is_none() {
            tracing::error!("max_size is reached and nothing can be removed: deliveries are answered 503");
        }
        self.blocked = is_stuck.then(|| "max_size is reached and nothing can be removed".to_owned());
        Ok(step)
    }

    /// Runs retention to its end, then returns the freed room to the disk.
    pub(super) fn prune(&mut self) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        // The log's own room can then be reused, which matters on a full disk.
        let _ = move_log(&self.connection, "RESTART");
        while let Step::Removed { deliveries, event_ids, messages } = self.retention_step(&|_| i64::MAX)? {
            pruned.deliveries = pruned.deliveries.saturating_add(deliveries);
            pruned.event_ids = pruned.event_ids.saturating_add(event_ids);
            pruned.messages = pruned.messages.saturating_add(messages);
            let _ = move_log(&self.connection, "PASSIVE");
        }
        retention::give_back(&self.connection)?;
        let _ = move_log(&self.connection, "TRUNCATE");
        Ok(pruned)
    }
}
