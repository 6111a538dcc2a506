//! Takes event ids, and knows where those are that were taken.

use std::collections::HashMap;

use super::filter::Probe;
use super::identity::Identity;
use super::places::{first_of, run_of};
use super::runs::Runs;
use super::statements::{First, New, Statements};
use crate::domain::Timestamp;

/// The number of ids in a run.
pub const RUN_ROWS: u32 = 65_536;

/// What is known in memory about event ids; the same as in the file. Every transaction that uses it begins with `follow`,
/// and `forget` follows one that failed.
pub struct EventIds {
    /// The number of ids in a run.
    pub(super) run_rows: u32,
    /// The newest row of each identity in the runs that are not listed.
    pub(super) fresh: HashMap<Identity, Fresh>,
    /// The number of the next row.
    pub(super) next: i64,
    /// The runs that are listed.
    pub(super) runs: Runs,
    /// The number of the newest run before the open transaction.
    pub(super) newest_before: i64,
    /// The number of the newest run that was ever listed.
    pub(super) listed: i64,
    /// By how much stored times are behind, in microseconds.
    pub(super) shift: i64,
    /// SQLite's number of the changes by others that are known here. `None` if nothing is known.
    pub(super) version: Option<i64>,
}

/// A row of a run that is not listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh {
    pub(super) id: i64,
    /// As stored.
    pub(super) expires_at: i64,
}

impl EventIds {
    /// Knows nothing yet. `run_rows` is the number of ids in a run, `RUN_ROWS` or fewer.
    pub fn new(run_rows: u32) -> Self {
        Self {
            run_rows,
            fresh: HashMap::new(),
            next: 0,
            runs: Runs::default(),
            newest_before: 0,
            listed: 0,
            shift: 0,
            version: None,
        }
    }

    /// Takes an event id inside the open transaction, unless another delivery has it: that one is returned. An id that
    /// has expired is free.
    pub fn take(
        &mut self,
        statements: &mut Statements<'_>,
        new: &New<'_>,
        now: Timestamp,
    ) -> rusqlite::Result<Option<First>> {
        let identity = Identity::of(new.source, new.key);
        let found = self.find(statements, identity)?;
        if let Some((first, expires_at)) = found
            && expires_at > self.stored(now)
        {
            return Ok(Some(first));
        }
        let fresh = Fresh { id: self.next, expires_at: self.stored(new.expires_at) };
        statements.add(fresh.id, identity, new, fresh.expires_at)?;
        if let Some(expired) = self.fresh.insert(identity, fresh) {
            statements.remove(expired.id)?;
        }
        self.next = self.following(fresh.id);
        Ok(None)
    }

    /// The newest row of an identity.
    fn find(
        &self,
        statements: &mut Statements<'_>,
        identity: Identity,
    ) -> rusqlite::Result<Option<(First, i64)>> {
        if let Some(fresh) = self.fresh.get(&identity) {
            return statements.taken(fresh.id, identity);
        }
        for run in self.runs.that_may_have(&Probe::of(identity)) {
            if let Some(found) = statements.listed(run, identity)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The number of the row after `id`.
    pub(super) fn following(&self, id: i64) -> i64 {
        let next = id.saturating_add(1);
        let run = run_of(id);
        let is_full = next.saturating_sub(first_of(run)) >= i64::from(self.run_rows);
        if is_full { first_of(run.saturating_add(1)) } else { next }
    }

    /// A time as it is stored.
    pub(super) const fn stored(&self, at: Timestamp) -> i64 {
        at.as_micros().saturating_sub(self.shift)
    }
}
