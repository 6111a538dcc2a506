//! Drops the partitions of days in which everything is expired: one short statement instead of many rows.
//!
//! A drop needs the whole table for itself for a moment. It waits only briefly for it, since every delivery that arrives
//! waits behind it; behind a long query it is tried again later.

use crate::domain::Timestamp;
use crate::store::log::postgres::days::{DAYS_LOCK, IS_PARTITION_THERE, first_instant, partition};
use crate::store::postgres::{Transaction, column, params};
use crate::store::{Retention, StoreError};

use super::rows::raise_pruned_through;
use super::state::kept_verdicts;

/// The most marks and causes that one step removes.
const STEP: i64 = 5_000;
/// How long a drop waits for the table, in milliseconds.
const PATIENCE_MS: u32 = 250;

/// Removes marks and causes of an expired day, a little at a time; returns how many. They are removed before the table is
/// locked, so that the lock is short.
///
/// # Errors
/// `Unavailable`.
pub async fn clear(to: &Transaction, day: i64) -> Result<u64, StoreError> {
    let name = partition(day)?;
    let mut removed: u64 = 0;
    for table in ["delivery_causes", "delivery_marks"] {
        removed = removed.saturating_add(clear_table(to, &name, table, STEP).await?);
    }
    Ok(removed)
}

/// Removes at most `most` rows about the deliveries of a partition. They are looked up by position: those of one day follow
/// each other.
async fn clear_table(to: &Transaction, name: &str, table: &str, most: i64) -> Result<u64, StoreError> {
    let sql = format!(
        r"
        DELETE FROM {table}
        WHERE seq = ANY (ARRAY(
            SELECT about.seq
            FROM {table} AS about
            WHERE about.seq >= (SELECT min(seq) FROM {name}) AND about.seq <= (SELECT max(seq) FROM {name})
              AND EXISTS (SELECT 1 FROM {name} AS d WHERE d.seq = about.seq)
            ORDER BY about.seq
            LIMIT $1
        ))
        "
    );
    to.run(&sql, &params![most]).await
}

/// Drops the partition of a day, unless there is something in it that must be kept. Returns whether it was dropped.
///
/// # Errors
/// `Unavailable`; the transaction is `is_locked_out` if others use the table.
pub async fn drop_day(
    to: &Transaction,
    day: i64,
    retention: &Retention,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let name = partition(day)?;
    to.batch(&format!("SET LOCAL lock_timeout = '{PATIENCE_MS}ms'")).await?;
    to.rows("SELECT pg_advisory_xact_lock($1)", &params![DAYS_LOCK]).await?;
    let there = to.one(IS_PARTITION_THERE, &params![name]).await?;
    if !column::<bool>(&there, "is_there")? {
        return Ok(false);
    }
    // From here on nobody appends, pins or reads.
    to.batch(&format!(
        r"
        LOCK TABLE ONLY deliveries IN ACCESS EXCLUSIVE MODE;
        LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE
        "
    ))
    .await?;
    let kept = kept_verdicts(first_instant(day.saturating_add(1)), retention, now);
    let sql = format!(
        r"
        SELECT
            EXISTS (SELECT 1 FROM {name} WHERE verdict = ANY ($1))
            OR EXISTS (
                SELECT 1 FROM delivery_marks m JOIN {name} d USING (seq) WHERE m.is_pinned
            ) AS is_needed,
            (SELECT max(seq) FROM {name}) AS last
        "
    );
    let row = to.one(&sql, &params![kept]).await?;
    if column(&row, "is_needed")? {
        return Ok(false);
    }
    for table in ["delivery_causes", "delivery_marks"] {
        clear_table(to, &name, table, i64::MAX).await?;
    }
    to.rows("SELECT drop_day($1)", &params![name]).await?;
    to.run("DELETE FROM delivery_totals WHERE day = $1", &params![day]).await?;
    if let Some(last) = column::<Option<i64>>(&row, "last")? {
        raise_pruned_through(to, last).await?;
    }
    Ok(true)
}
