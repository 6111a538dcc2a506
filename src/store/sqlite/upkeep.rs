//! The work of the writer's thread between batches: retention in small steps, and returning room to the disk.

use std::sync::atomic::Ordering;

use rusqlite::ErrorCode;

use super::checkpoint::move_log;
use super::writer::Work;
use crate::store::upkeep::sqlite::retention;
use crate::store::{Pruned, StoreError};

impl Work {
    pub(super) fn is_over_size(&self) -> bool {
        self.shared.used.load(Ordering::Relaxed) > self.options.retention.max_size
    }

    /// One small step of retention or of what follows it; `true` if there is more to do.
    pub(super) fn look_after_retention(&mut self) -> bool {
        match self.retention_step() {
            Ok(pruned) if !pruned.is_nothing() => {
                self.removed.add(pruned);
                self.unreported.add(pruned);
                true
            }
            Ok(_) => {
                self.report_removed();
                let given_back = self.give_back_a_little();
                if let Err(fault) = &given_back {
                    tracing::warn!(%fault, "free pages could not be given back");
                    self.recover(fault);
                }
                given_back.unwrap_or(false)
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

    fn report_removed(&mut self) {
        let removed = std::mem::take(&mut self.removed);
        if !removed.is_nothing() {
            let Pruned { deliveries, event_ids, messages } = removed;
            tracing::info!(deliveries, event_ids, messages, "retention removed");
        }
    }

    fn give_back_a_little(&mut self) -> rusqlite::Result<bool> {
        self.sync_commits(false)?;
        retention::give_back_a_little(&self.connection)
    }

    fn retention_step(&mut self) -> rusqlite::Result<Pruned> {
        let removed = self.remove_a_little();
        if let Err(fault) = &removed {
            self.recover(fault);
        }
        let removed = removed?;
        // Read from the file each time: `tagohook prune` may run next to us.
        self.shared.set_pruned_through(retention::pruned_through(&self.connection)?);
        self.shared.used.store(retention::used_bytes(&self.connection)?, Ordering::Relaxed);
        let is_stuck = removed.is_nothing() && self.is_over_size();
        if is_stuck && self.blocked.is_none() {
            tracing::error!("max_size is reached and nothing can be removed: deliveries are answered 503");
        }
        self.blocked = is_stuck.then(|| "max_size is reached and nothing can be removed".to_owned());
        Ok(removed)
    }

    fn remove_a_little(&mut self) -> rusqlite::Result<Pruned> {
        self.sync_commits(false)?;
        let now = self.ages.trusted(self.options.clock.both());
        retention::step(&mut self.connection, &mut self.event_ids, &self.options.retention, now)
    }

    /// Runs retention to its end, then returns the freed room to the disk.
    pub(super) fn prune(&mut self) -> Result<Pruned, StoreError> {
        // The steps between batches began before.
        let mut pruned = std::mem::take(&mut self.unreported);
        // The log's own room can then be reused, which matters on a full disk.
        let _ = move_log(&self.connection, "RESTART");
        loop {
            let more = self.retention_step()?;
            if more.is_nothing() {
                break;
            }
            pruned.add(more);
            let _ = move_log(&self.connection, "PASSIVE");
        }
        retention::give_back(&self.connection)?;
        let _ = move_log(&self.connection, "TRUNCATE");
        Ok(pruned)
    }
}
