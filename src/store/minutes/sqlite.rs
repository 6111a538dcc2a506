//! Counts of each minute, in SQLite.

use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension as _, params};

use super::{EXPIRED_STEP, KEEP_MINUTES};
use crate::domain::Reason;
use crate::store::log::encoding;
use crate::store::sqlite::Sqlite;
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
        "SELECT count, times FROM minutes WHERE minute = ?1 AND source = ?2 AND verdict = ?3 AND reason = ?4",
    )?;
    let mut write = connection.prepare_cached(
        "INSERT INTO minutes (minute, source, verdict, reason, count, times) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (minute, source, verdict, reason) DO UPDATE SET count = ?5, times = ?6",
    )?;
    let mut newest = 0;
    for minute in counted {
        let verdict = encoding::verdict_number(minute.verdict);
        let reason = minute.reason.map_or("", Reason::as_str);
        let place = params![minute.minute, minute.source, verdict, reason];
        let mut sum = read.query_row(place, |row| times(row, 0)).optional()?.unwrap_or_default();
        sum.join(&minute.counted);
        sum.bound();
        let times = sum.times();
        let count = i64::try_from(sum.count).unwrap_or(i64::MAX);
        write.execute(params![minute.minute, minute.source, verdict, reason, count, times])?;
        newest = newest.max(minute.minute);
    }
    connection
        .prepare_cached(
            "DELETE FROM minutes WHERE (minute, source, verdict, reason) IN (
                 SELECT minute, source, verdict, reason FROM minutes WHERE minute < ?1 ORDER BY minute LIMIT ?2)",
        )?
        .execute([newest.saturating_sub(KEEP_MINUTES), EXPIRED_STEP])?;
    Ok(())
}

/// The minutes from `first` to before `end`.
pub fn between(connection: &Connection, first: i64, end: i64) -> rusqlite::Result<Vec<Minute>> {
    connection
        .prepare_cached(
            "SELECT count, times, minute, source, verdict, reason FROM minutes WHERE minute >= ?1 AND minute < ?2",
        )?
        .query_map([first, end], |row| {
            let reason: String = row.get(5)?;
            Ok(Minute {
                counted: times(row, 0)?,
                minute: row.get(2)?,
                source: row.get(3)?,
                verdict: encoding::verdict(row.get(4)?).ok_or_else(|| unreadable(4, Type::Integer))?,
                reason: Reason::from_word(&reason),
            })
        })?
        .collect()
}

/// The minutes from `first` to before `end`, summed by stretches of `step` of them.
pub fn counts(connection: &Connection, first: i64, end: i64, step: i64) -> rusqlite::Result<Vec<SlotCount>> {
    connection
        .prepare_cached(
            "SELECT (minute - ?1) / ?3 AS slot, source, verdict, reason, sum(count) FROM minutes
             WHERE minute >= ?1 AND minute < ?2 GROUP BY slot, source, verdict, reason",
        )?
        .query_map([first, end, step.max(1)], |row| {
            let reason: String = row.get(3)?;
            Ok(SlotCount {
                slot: row.get(0)?,
                source: row.get(1)?,
                verdict: encoding::verdict(row.get(2)?).ok_or_else(|| unreadable(2, Type::Integer))?,
                reason: Reason::from_word(&reason),
                count: row.get::<_, i64>(4)?.unsigned_abs(),
            })
        })?
        .collect()
}

fn times(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Counted> {
    let times: String = row.get(at + 1)?;
    let count = row.get::<_, i64>(at)?.unsigned_abs();
    Counted::read(count, &times).ok_or_else(|| unreadable(at + 1, Type::Text))
}

fn unreadable(column: usize, kind: Type) -> Error {
    Error::InvalidColumnType(column, "a value that this program does not know".to_owned(), kind)
}
