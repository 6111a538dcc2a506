//! Removes deliveries one by one, in bounded steps.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Timestamp, Verdict};
use crate::store::log::encoding::verdict_number;
use crate::store::log::postgres::days::{day, first_instant};
use crate::store::postgres::{HORIZON, Transaction, column, params, whole};
use crate::store::upkeep::rules::{Surplus, Total, Whose, surpluses};
use crate::store::{Retention, StoreError};

use super::state::State;

/// The most rows that one step removes.
const STEP_ROWS: usize = 1_000;
/// The most bytes that one step removes, except for the last row.
const STEP_BYTES: u64 = 16 * 1024 * 1024;

/// A delivery that goes.
struct Doomed {
    seq: i64,
    received_at: i64,
}

/// Runs one step: the first rule with something to remove removes a little. Days of `skipped` are removed as a whole, and
/// not for the age of their deliveries. Returns the number of deliveries removed.
///
/// # Errors
/// `Unavailable`.
pub async fn remove(
    to: &Transaction,
    state: &State,
    retention: &Retention,
    now: Timestamp,
    skipped: &BTreeSet<i64>,
) -> Result<u64, StoreError> {
    for (whose, surplus) in surpluses(|verdict| state.total(verdict), state.used(), retention, now) {
        let verdict = match whose {
            Whose::One(verdict) => verdict,
            Whose::Accepted => oldest_of_the_accepted(to).await?,
        };
        let bounds = match surplus {
            Surplus::OlderThan(cutoff) => {
                let last = day(Timestamp::from_micros(cutoff)).saturating_add(1);
                let first = state.first_day(verdict, cutoff, skipped);
                first.map(|first| (first_instant(first), first_instant(last)))
            }
            Surplus::Rows(_) | Surplus::Bytes(_) => Some((i64::MIN, i64::MAX)),
        };
        let Some(bounds) = bounds else { continue };
        let doomed = oldest(to, verdict, surplus, bounds).await?;
        if !doomed.is_empty() {
            let removed = delete(to, verdict, &doomed).await?;
            if removed > 0 {
                return Ok(removed);
            }
        }
    }
    Ok(0)
}

/// The oldest rows of a verdict that were received within `bounds`, as far as `surplus` covers them.
async fn oldest(
    to: &Transaction,
    verdict: Verdict,
    surplus: Surplus,
    (first, end): (i64, i64),
) -> Result<Vec<Doomed>, StoreError> {
    let rows = to
        .rows(
            r"
            SELECT d.seq, d.received_at, d.row_bytes
            FROM deliveries d
            WHERE d.verdict = $1 AND d.received_at >= $2 AND d.received_at < $3
              AND NOT EXISTS (SELECT 1 FROM delivery_marks m WHERE m.seq = d.seq AND m.is_pinned)
            ORDER BY d.seq
            LIMIT $4
            ",
            &params![verdict_number(verdict), first, end, whole(STEP_ROWS)],
        )
        .await?;
    let mut doomed = Vec::new();
    let mut sum = Total::default();
    for row in &rows {
        let found = Doomed { seq: column(row, "seq")?, received_at: column(row, "received_at")? };
        if !surplus.covers(found.received_at, sum) || sum.bytes >= STEP_BYTES {
            break;
        }
        let weight = u64::try_from(column::<i64>(row, "row_bytes")?).unwrap_or(0);
        sum = Total { rows: sum.rows.saturating_add(1), bytes: sum.bytes.saturating_add(weight) };
        doomed.push(found);
    }
    Ok(doomed)
}

/// Removes rows, with their marks and causes, unless somebody pins them at this moment.
async fn delete(to: &Transaction, verdict: Verdict, doomed: &[Doomed]) -> Result<u64, StoreError> {
    let times = || doomed.iter().map(|row| row.received_at);
    let (first, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    let seqs: Vec<i64> = doomed.iter().map(|row| row.seq).collect();
    // Locked first: whoever has pinned one is seen by the next statement, and whoever wants to finds it removed.
    let locked = to
        .rows(
            r"
            SELECT seq
            FROM deliveries
            WHERE seq = ANY ($1) AND received_at BETWEEN $2 AND $3
            ORDER BY seq
            FOR UPDATE SKIP LOCKED
            ",
            &params![seqs, first, last],
        )
        .await?;
    let seqs = locked.iter().map(|row| column(row, "seq")).collect::<Result<Vec<i64>, _>>()?;
    let removed = to
        .rows(
            r"
            DELETE FROM deliveries d
            WHERE d.seq = ANY ($1) AND d.received_at BETWEEN $2 AND $3
              AND NOT EXISTS (SELECT 1 FROM delivery_marks m WHERE m.seq = d.seq AND m.is_pinned)
            RETURNING d.seq, d.received_at, d.row_bytes
            ",
            &params![seqs, first, last],
        )
        .await?;
    let mut gone: Vec<i64> = Vec::new();
    let mut days: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for row in &removed {
        gone.push(column(row, "seq")?);
        let (rows, bytes) = days.entry(day(Timestamp::from_micros(column(row, "received_at")?))).or_default();
        *rows = rows.saturating_sub(1);
        *bytes = bytes.saturating_sub(column(row, "row_bytes")?);
    }
    if gone.is_empty() {
        return Ok(0);
    }
    for table in ["delivery_marks", "delivery_causes"] {
        to.run(&format!("DELETE FROM {table} WHERE seq = ANY ($1)"), &params![gone]).await?;
    }
    subtract(to, verdict, &days).await?;
    raise_pruned_through(to, gone.iter().copied().max().unwrap_or_default()).await?;
    Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
}

/// Changes the totals of a verdict, in rows that no node has, so that nobody waits for them.
async fn subtract(
    to: &Transaction,
    verdict: Verdict,
    days: &BTreeMap<i64, (i64, i64)>,
) -> Result<(), StoreError> {
    to.run(
        r"
        INSERT INTO delivery_totals AS known (day, verdict, node, writer, rows, bytes)
        SELECT day, $1, '', 0, rows, bytes
        FROM unnest($2, $3, $4) AS removed (day, rows, bytes)
        ON CONFLICT (day, verdict, node, writer) DO UPDATE SET
            rows = known.rows + excluded.rows,
            bytes = known.bytes + excluded.bytes
        ",
        &params![
            verdict_number(verdict),
            days.keys().copied().collect::<Vec<_>>(),
            days.values().map(|sum| sum.0).collect::<Vec<_>>(),
            days.values().map(|sum| sum.1).collect::<Vec<_>>(),
        ],
    )
    .await?;
    Ok(())
}

/// Records that positions up to `seq` may be removed, as far as positions are final: readers do not go further.
///
/// # Errors
/// `Unavailable`.
pub async fn raise_pruned_through(to: &Transaction, seq: i64) -> Result<(), StoreError> {
    let sql = format!(
        r"
        UPDATE facts
        SET value = greatest(value, least($1, {HORIZON} - 1))
        WHERE name = 'pruned_through'
        "
    );
    to.run(&sql, &params![seq]).await?;
    Ok(())
}

/// Accepted and duplicate deliveries share one rule: the older one is removed first.
async fn oldest_of_the_accepted(to: &Transaction) -> Result<Verdict, StoreError> {
    let mut first = [i64::MAX; 2];
    for (seq, verdict) in first.iter_mut().zip([Verdict::Accepted, Verdict::Duplicate]) {
        let row = to
            .maybe(
                r"
                SELECT d.seq
                FROM deliveries d
                WHERE d.verdict = $1
                  AND NOT EXISTS (SELECT 1 FROM delivery_marks m WHERE m.seq = d.seq AND m.is_pinned)
                ORDER BY d.seq
                LIMIT 1
                ",
                &params![verdict_number(verdict)],
            )
            .await?;
        if let Some(row) = row {
            *seq = column(&row, "seq")?;
        }
    }
    let [accepted, duplicate] = first;
    Ok(if duplicate < accepted { Verdict::Duplicate } else { Verdict::Accepted })
}
