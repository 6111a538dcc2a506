//! Keeps due times correct across restarts, even if the wall clock was set.
//!
//! A due time is by the clock of the node that wrote it: a clock that never jumps and starts with the wall-clock time.
//! Nodes have the same time up to what NTP leaves, and so much earlier or later another one takes a retry up. A node
//! whose wall clock was set while it ran moves at its next start what it wrote itself, and nothing of other nodes.

use std::time::Duration;

use super::rate::micros;
use crate::domain::{Now, Timestamp};
use crate::store::StoreError;
use crate::store::numbers::{PENDING, SENDING};
use crate::store::outbox::limits::NO_STEP_US;
use crate::store::postgres::{Transaction, column, params};

/// The name of the number that stores how far the wall clock of a node was ahead, in microseconds.
fn ahead_of(node: &str) -> String {
    format!("wall_ahead_us {node}")
}

/// Stores how far the wall clock of a node is ahead.
pub async fn keep_wall_ahead(to: &Transaction, node: &str, ahead: i64) -> Result<(), StoreError> {
    to.run(
        r"
        INSERT INTO facts (name, value)
        VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value
        ",
        &params![ahead_of(node), ahead],
    )
    .await?;
    Ok(())
}

/// Adjusts the schedule when the sender of a node starts. At a program start both clocks show the same time, and the
/// stored difference is that of the last run. If only the sender restarts, the clocks and their difference have not
/// changed.
pub async fn take_up(to: &Transaction, node: &str, now: Now) -> Result<(), StoreError> {
    let kept = to.maybe("SELECT value FROM facts WHERE name = $1", &params![ahead_of(node)]).await?;
    let kept: i64 = kept.map_or(Ok(0), |row| column(&row, "value"))?;
    let ahead = now.wall_ahead_us();
    if kept.abs_diff(ahead) > NO_STEP_US {
        // The wall clock was set while the program ran.
        to.run(
            &format!(
                r"
                UPDATE messages
                SET next_attempt_at = next_attempt_at + $2,
                    claimed_at = claimed_at + $2
                WHERE seq = ANY (ARRAY(
                    SELECT seq
                    FROM messages
                    WHERE status IN ({PENDING}, {SENDING})
                      AND claimed_by = $1
                    ORDER BY seq
                    FOR UPDATE
                ))
                "
            ),
            &params![node, kept.saturating_sub(ahead)],
        )
        .await?;
        keep_wall_ahead(to, node, ahead).await?;
    }
    pull_in(to, node, now.due).await
}

/// The wall clock was set back while the program did not run, by an unknown amount. Existing claims and messages wait
/// no longer than their original delay, and earlier requests count from now.
async fn pull_in(to: &Transaction, node: &str, now: Timestamp) -> Result<(), StoreError> {
    to.run(
        &format!(
            r"
            UPDATE messages
            SET next_attempt_at = $2 + greatest(0, next_attempt_at - coalesce(claimed_at, next_attempt_at)),
                claimed_at = least(claimed_at, CASE WHEN claimed_at IS NOT NULL THEN $2 END)
            WHERE seq = ANY (ARRAY(
                SELECT seq
                FROM messages
                WHERE status = {PENDING}
                  AND next_attempt_at > $2
                  AND coalesce(claimed_at, created_at) > $2
                  AND coalesce(claimed_by, $1) = $1
                ORDER BY seq
                FOR UPDATE SKIP LOCKED
            ))
            "
        ),
        &params![node, now.as_micros()],
    )
    .await?;
    to.run("UPDATE rate_marks SET at = $1 WHERE at > $1", &params![now.as_micros()]).await?;
    Ok(())
}

/// Spreads overdue retries over `spread`, so that an endpoint does not get the whole backlog at once. Messages of one
/// batch stay together. What another node claims at this moment is left to it.
pub async fn spread_overdue(to: &Transaction, now: Timestamp, spread: Duration) -> Result<(), StoreError> {
    to.run(
        &format!(
            r"
            WITH overdue AS MATERIALIZED (
                SELECT seq, target_id, next_attempt_at
                FROM messages
                WHERE status = {PENDING}
                  AND attempts > attempts_before
                  AND next_attempt_at < $1
                ORDER BY seq
                FOR UPDATE SKIP LOCKED
            ),
            placed AS (
                SELECT seq, percent_rank() OVER (PARTITION BY target_id ORDER BY next_attempt_at) AS place
                FROM overdue
            )
            UPDATE messages
            SET next_attempt_at = $1 + trunc($2 * placed.place)::bigint
            FROM placed
            WHERE messages.seq = placed.seq
            "
        ),
        &params![now.as_micros(), micros(spread).max(1)],
    )
    .await?;
    Ok(())
}
