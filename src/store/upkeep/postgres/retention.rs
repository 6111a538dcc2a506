//! Retention in small steps, each a transaction of its own. One node at a time makes a step.
//!
//! A step waits for no standby: what it removes may come back after a failover, and is removed again.

use std::collections::BTreeSet;

use super::expired_days::{clear, drop_day};
use super::rows;
use super::state::State;
use crate::domain::{Now, Timestamp};
use crate::store::outbox::postgres as outbox;
use crate::store::postgres::{Database, Transaction, column, params};
use crate::store::{Pruned, Retention, StoreError};

/// The most event ids that one step removes.
const STEP_IDS: i64 = 1_000;
/// The oldest causes that are looked at for those of removed deliveries.
const STEP_CAUSES: i64 = 200;
/// The key of the lock of the node that makes a step: "tagokeep" in bytes.
const STEP_LOCK: i64 = 0x7461_676f_6b65_6570;

/// What to do if another node makes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Wait for it.
    Wait,
    /// Leave the work to it.
    Yield,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another node is at work.
    Busy,
    /// There was nothing to remove.
    Nothing,
    /// Something was removed; there may be more.
    Removed(Pruned),
    /// The partition of a day is to be dropped, but others use the table.
    InUse(i64),
}

/// What a look found.
enum Found {
    Done(Step),
    /// The day whose partition can be dropped, and the number of deliveries in it.
    Expired(i64, u64),
}

impl Database {
    /// Runs one step: the first rule with something to remove removes a little. Days of `skipped` are not dropped.
    ///
    /// The wall-clock time in `now` is the instant from which ages are computed.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn retention_step(
        &self,
        turn: Turn,
        now: Now,
        skipped: &BTreeSet<i64>,
    ) -> Result<Step, StoreError> {
        let retention = &self.retention;
        match self.change(|to| async move { step(&to, turn, retention, now, skipped).await }).await? {
            Found::Done(step) => Ok(step),
            Found::Expired(day, deliveries) => self.drop_expired(turn, day, deliveries, now.wall).await,
        }
    }

    async fn drop_expired(
        &self,
        turn: Turn,
        day: i64,
        deliveries: u64,
        now: Timestamp,
    ) -> Result<Step, StoreError> {
        let to = self.begin().await?;
        let dropped = async {
            if begin_step(&to, turn).await? {
                drop_day(&to, day, &self.retention, now).await
            } else {
                Ok(false)
            }
        };
        match dropped.await {
            Ok(true) => {
                to.commit().await?;
                tracing::info!(day, deliveries, "retention dropped the partition of a day");
                Ok(Step::Removed(Pruned { deliveries, ..Pruned::default() }))
            }
            // Another node was first, or something in it is needed after all: the next look knows.
            Ok(false) => Ok(Step::InUse(day)),
            Err(_) if to.is_locked_out() => Ok(Step::InUse(day)),
            Err(fault) => Err(fault),
        }
    }
}

/// Takes the lock of a step. Returns `false` if another node has it.
async fn begin_step(to: &Transaction, turn: Turn) -> Result<bool, StoreError> {
    to.batch("SET LOCAL synchronous_commit = local").await?;
    match turn {
        Turn::Wait => {
            to.rows("SELECT pg_advisory_xact_lock($1)", &params![STEP_LOCK]).await?;
            Ok(true)
        }
        Turn::Yield => {
            let row = to.one("SELECT pg_try_advisory_xact_lock($1) AS is_mine", &params![STEP_LOCK]).await?;
            column(&row, "is_mine")
        }
    }
}

async fn step(
    to: &Transaction,
    turn: Turn,
    retention: &Retention,
    now: Now,
    skipped: &BTreeSet<i64>,
) -> Result<Found, StoreError> {
    if !begin_step(to, turn).await? {
        return Ok(Found::Done(Step::Busy));
    }
    let state = State::read(to).await?;
    let expired = state.expired_days(retention, now.wall);
    if let Some(day) = expired.iter().copied().find(|day| !skipped.contains(day)) {
        return Ok(if clear(to, day).await? > 0 {
            Found::Done(Step::Removed(Pruned::default()))
        } else {
            Found::Expired(day, state.rows_of(day))
        });
    }
    let deliveries = rows::remove(to, &state, retention, now.wall, &expired).await?;
    if deliveries > 0 {
        return Ok(Found::Done(Step::Removed(Pruned { deliveries, ..Pruned::default() })));
    }
    let event_ids = remove_expired_ids(to, now.due).await?;
    let used = state.used();
    let mut messages = outbox::prune_outbox(to, retention, now.wall).await?;
    if messages == 0 && used > retention.max_size {
        messages = outbox::retire(to).await?;
    }
    if event_ids > 0 || messages > 0 {
        return Ok(Found::Done(Step::Removed(Pruned { deliveries, event_ids, messages })));
    }
    remove_lost_causes(to).await?;
    // A day that others use, and that will be dropped, is no reason to refuse deliveries.
    let is_full = used > retention.max_size && expired.is_empty();
    to.run(
        "UPDATE facts SET value = $1 WHERE name = 'is_full' AND value <> $1",
        &params![i64::from(is_full)],
    )
    .await?;
    Ok(Found::Done(Step::Nothing))
}

/// Removes event ids that are free again. Those that a batch takes at this moment are left to it: it holds others that
/// this step would wait for.
async fn remove_expired_ids(to: &Transaction, now: Timestamp) -> Result<u64, StoreError> {
    to.run(
        r"
        WITH free AS MATERIALIZED (
            SELECT source, key
            FROM event_ids
            WHERE expires_at <= $1
            ORDER BY expires_at
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        )
        DELETE FROM event_ids
        USING free
        WHERE event_ids.source = free.source AND event_ids.key = free.key AND event_ids.expires_at <= $1
        ",
        &params![now.as_micros(), STEP_IDS],
    )
    .await
}

/// Removes causes that were named while their delivery was being removed. They are among the oldest sooner or later.
async fn remove_lost_causes(to: &Transaction) -> Result<(), StoreError> {
    to.run(
        r"
        DELETE FROM delivery_causes
        WHERE seq = ANY (ARRAY(
            SELECT oldest.seq
            FROM (SELECT seq FROM delivery_causes ORDER BY seq LIMIT $1) AS oldest
            WHERE oldest.seq <= (SELECT value FROM facts WHERE name = 'pruned_through')
              AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.seq = oldest.seq)
        ))
        ",
        &params![STEP_CAUSES],
    )
    .await?;
    Ok(())
}
