//! Counts of each minute, in PostgreSQL.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio_postgres::Row;

use super::{EXPIRED_STEP, KEEP_MINUTES};
use crate::domain::{Reason, Verdict};
use crate::store::log::encoding::{self, verdict_number};
use crate::store::postgres::{Postgres, Transaction, column, count, params, unreadable};
use crate::store::{Minute, Minutes, SlotCount, StoreError};
use crate::telemetry::Counted;

/// The key of a row: minute, source, verdict, reason.
type Key = (i64, String, i64, String);

#[async_trait]
impl Minutes for Postgres {
    async fn add_minutes(&self, counted: Vec<Minute>) -> Result<(), StoreError> {
        let mut sums: BTreeMap<Key, Vec<&Counted>> = BTreeMap::new();
        for minute in &counted {
            let reason = minute.reason.map_or("", Reason::as_str).to_owned();
            let key = (minute.minute, minute.source.clone(), verdict_number(minute.verdict), reason);
            sums.entry(key).or_default().push(&minute.counted);
        }
        let sums = &sums;
        self.add(|to| async move { add(&to, sums).await }).await
    }

    async fn minutes(&self, first: i64, end: i64) -> Result<Vec<Minute>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                r"
                SELECT minute, source, verdict, reason, count, times
                FROM minutes
                WHERE minute >= $1 AND minute < $2
                ORDER BY minute, source, verdict, reason
                ",
                &params![first, end],
            )
            .await?;
        let read = |row: &Row| {
            Ok(Minute {
                minute: column(row, "minute")?,
                source: column(row, "source")?,
                verdict: verdict(row)?,
                reason: reason(row)?,
                counted: counted_in(row)?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn slot_counts(&self, first: i64, end: i64, step: i64) -> Result<Vec<SlotCount>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                r"
                SELECT (minute - $1) / $3 AS slot, source, verdict, reason, sum(count)::bigint AS count
                FROM minutes
                WHERE minute >= $1 AND minute < $2
                GROUP BY slot, source, verdict, reason
                ORDER BY slot, source, verdict, reason
                ",
                &params![first, end, step.max(1)],
            )
            .await?;
        let read = |row: &Row| {
            Ok(SlotCount {
                slot: column(row, "slot")?,
                source: column(row, "source")?,
                verdict: verdict(row)?,
                reason: reason(row)?,
                count: column::<i64>(row, "count")?.unsigned_abs(),
            })
        };
        rows.iter().map(read).collect()
    }
}

/// Adds counts, and removes a few expired minutes. The rows are created first and then locked: if two nodes add to a
/// row, the second one reads the sum of the first one.
async fn add(to: &Transaction, sums: &BTreeMap<Key, Vec<&Counted>>) -> Result<(), StoreError> {
    let minutes: Vec<i64> = sums.keys().map(|key| key.0).collect();
    let sources: Vec<&str> = sums.keys().map(|key| key.1.as_str()).collect();
    let verdicts: Vec<i64> = sums.keys().map(|key| key.2).collect();
    let reasons: Vec<&str> = sums.keys().map(|key| key.3.as_str()).collect();
    to.run(
        r"
        INSERT INTO minutes (minute, source, verdict, reason, count, times)
        SELECT minute, source, verdict, reason, 0, $5
        FROM unnest($1, $2, $3, $4) AS added (minute, source, verdict, reason)
        ON CONFLICT (minute, source, verdict, reason) DO NOTHING
        ",
        &params![minutes, sources, verdicts, reasons, Counted::default().times()],
    )
    .await?;
    let known = to
        .rows(
            r"
            SELECT m.minute, m.source, m.verdict, m.reason, m.count, m.times
            FROM minutes m
            JOIN unnest($1, $2, $3, $4) AS added (minute, source, verdict, reason)
                USING (minute, source, verdict, reason)
            ORDER BY m.minute, m.source, m.verdict, m.reason
            FOR UPDATE OF m
            ",
            &params![minutes, sources, verdicts, reasons],
        )
        .await?;
    let mut counts = Vec::new();
    let mut times = Vec::new();
    let mut known: BTreeMap<Key, Counted> =
        known.iter().map(|row| Ok((key(row)?, counted_in(row)?))).collect::<Result<_, StoreError>>()?;
    for (key, added) in sums {
        let mut sum = known.remove(key).unwrap_or_default();
        for more in added {
            sum.join(more);
            sum.bound();
        }
        counts.push(count(sum.count));
        times.push(sum.times());
    }
    to.run(
        r"
        UPDATE minutes m
        SET count = added.count,
            times = added.times
        FROM unnest($1, $2, $3, $4, $5, $6) AS added (minute, source, verdict, reason, count, times)
        WHERE m.minute = added.minute
          AND m.source = added.source
          AND m.verdict = added.verdict
          AND m.reason = added.reason
        ",
        &params![minutes, sources, verdicts, reasons, counts, times],
    )
    .await?;
    let newest = minutes.iter().copied().fold(0, i64::max);
    to.run(
        r"
        DELETE FROM minutes
        WHERE (minute, source, verdict, reason) IN (
            SELECT minute, source, verdict, reason
            FROM minutes
            WHERE minute < $1
            ORDER BY minute
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        )
        ",
        &params![newest.saturating_sub(KEEP_MINUTES), EXPIRED_STEP],
    )
    .await?;
    Ok(())
}

fn key(row: &Row) -> Result<Key, StoreError> {
    Ok((column(row, "minute")?, column(row, "source")?, column(row, "verdict")?, column(row, "reason")?))
}

fn verdict(row: &Row) -> Result<Verdict, StoreError> {
    encoding::verdict(column(row, "verdict")?).ok_or_else(|| unreadable("verdict"))
}

fn reason(row: &Row) -> Result<Option<Reason>, StoreError> {
    let reason: String = column(row, "reason")?;
    Ok(Reason::from_word(&reason))
}

fn counted_in(row: &Row) -> Result<Counted, StoreError> {
    let times: String = column(row, "times")?;
    let count = column::<i64>(row, "count")?.unsigned_abs();
    Counted::read(count, &times).ok_or_else(|| unreadable("times"))
}
