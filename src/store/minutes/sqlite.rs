//! Counts of each minute, in SQLite.

use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use super::{EXPIRED_STEP, KEEP_MINUTES};
use crate::domain::{Reason, Verdict};
use crate::store::log::encoding;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::fields::{count, unreadable};
use crate::store::{Minute, Minutes, SlotCount, StoreError};
use crate::telemetry::Counted;

#[async_trait]
impl Minutes for Sqlite {
    async fn add_minutes(&self, counted: Vec<Minute>) -> Result<(), StoreError> {
        self.add(move |to| add(to, &counted)).await
    }

    async fn minutes(&self, first: i64, end: i64) -> Result<Vec<Minute>, StoreError> {
        self.read(move |from| between(from, first, end)).await
    }

    async fn slot_counts(&self, first: i64, end: i64, step: i64) -> Result<Vec<SlotCount>, StoreError> {
        self.read(move |from| counts(from, first, end, step)).await
    }
}

/// Adds counts, and removes a few expired minutes.
pub fn add(connection: &Connection, counted: &[Minute]) -> rusqlite::Result<()> {
    let mut read = connection.prepare_cached(
        r"
        SELECT count, times
        FROM minutes
        WHERE minute = :minute AND source = :source AND verdict = :verdict AND reason = :reason
        ",
    )?;
    let mut write = connection.prepare_cached(
        r"
        INSERT INTO minutes (minute, source, verdict, reason, count, times)
        VALUES (:minute, :source, :verdict, :reason, :count, :times)
        ON CONFLICT (minute, source, verdict, reason) DO UPDATE SET
            count = :count,
            times = :times
        ",
    )?;
    let mut newest = 0;
    for minute in counted {
        let verdict = encoding::verdict_number(minute.verdict);
        let reason = minute.reason.map_or("", Reason::as_str);
        let key = named_params! {
            ":minute": minute.minute,
            ":source": minute.source,
            ":verdict": verdict,
            ":reason": reason,
        };
        let mut sum = read.query_row(key, counted_in).optional()?.unwrap_or_default();
        sum.join(&minute.counted);
        sum.bound();
        write.execute(named_params! {
            ":minute": minute.minute,
            ":source": minute.source,
            ":verdict": verdict,
            ":reason": reason,
            ":count": i64::try_from(sum.count).unwrap_or(i64::MAX),
            ":times": sum.times(),
        })?;
        newest = newest.max(minute.minute);
    }
    connection
        .prepare_cached(
            r"
            DELETE FROM minutes
            WHERE (minute, source, verdict, reason) IN (
                SELECT minute, source, verdict, reason
                FROM minutes
                WHERE minute < :oldest
                ORDER BY minute
                LIMIT :limit
            )
            ",
        )?
        .execute(named_params! {
            ":oldest": newest.saturating_sub(KEEP_MINUTES),
            ":limit": EXPIRED_STEP,
        })?;
    Ok(())
}

/// The minutes from `first` to before `end`.
pub fn between(connection: &Connection, first: i64, end: i64) -> rusqlite::Result<Vec<Minute>> {
    connection
        .prepare_cached(
            r"
            SELECT minute, source, verdict, reason, count, times
            FROM minutes
            WHERE minute >= :first AND minute < :end
            ORDER BY minute, source, verdict, reason
            ",
        )?
        .query_map(named_params! { ":first": first, ":end": end }, |row| {
            Ok(Minute {
                minute: row.get("minute")?,
                source: row.get("source")?,
                verdict: verdict(row)?,
                reason: reason(row)?,
                counted: counted_in(row)?,
            })
        })?
        .collect()
}

/// The minutes from `first` to before `end`, summed by stretches of `step` of them.
pub fn counts(connection: &Connection, first: i64, end: i64, step: i64) -> rusqlite::Result<Vec<SlotCount>> {
    connection
        .prepare_cached(
            r"
            SELECT (minute - :first) / :step AS slot, source, verdict, reason, sum(count) AS count
            FROM minutes
            WHERE minute >= :first AND minute < :end
            GROUP BY slot, source, verdict, reason
            ORDER BY slot, source, verdict, reason
            ",
        )?
        .query_map(named_params! { ":first": first, ":end": end, ":step": step.max(1) }, |row| {
            Ok(SlotCount {
                slot: row.get("slot")?,
                source: row.get("source")?,
                verdict: verdict(row)?,
                reason: reason(row)?,
                count: count(row, "count")?,
            })
        })?
        .collect()
}

fn verdict(row: &Row<'_>) -> rusqlite::Result<Verdict> {
    encoding::verdict(row.get("verdict")?).ok_or_else(|| unreadable(row, "verdict", Type::Integer))
}

fn reason(row: &Row<'_>) -> rusqlite::Result<Option<Reason>> {
    Ok(Reason::from_word(row.get_ref("reason")?.as_str()?))
}

fn counted_in(row: &Row<'_>) -> rusqlite::Result<Counted> {
    let times = row.get_ref("times")?.as_str()?;
    Counted::read(count(row, "count")?, times).ok_or_else(|| unreadable(row, "times", Type::Text))
}
