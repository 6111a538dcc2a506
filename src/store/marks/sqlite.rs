//! Pins, notes and tags in SQLite.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::MOST_PINS;
use crate::domain::{DeliveryId, MarksChange};
use crate::store::log::encoding;
use crate::store::log::sqlite::rows;
use crate::store::sqlite::Sqlite;
use crate::store::upkeep::sqlite::retention::change_total;
use crate::store::{Marked, Marking, StoreError};

/// The column of the marks in what `mark` reads of a delivery.
const MARKS: usize = 3;

#[async_trait]
impl Marking for Sqlite {
    async fn mark(&self, id: DeliveryId, change: MarksChange, room: u64) -> Result<Marked, StoreError> {
        // Unpinning frees room, so a full store must accept it.
        if change.is_pinned == Some(false) {
            self.change(move |to| mark(to, id, change, room)).await
        } else {
            self.add(move |to| mark(to, id, change, room)).await
        }
    }
}

/// Changes the marks of a delivery. A pinned delivery is removed from the totals, so that budgets count only what they
/// can remove.
pub fn mark(
    connection: &Connection,
    id: DeliveryId,
    change: MarksChange,
    room: u64,
) -> rusqlite::Result<Marked> {
    let found = connection
        .prepare_cached(&format!(
            r"
            SELECT d.seq, d.verdict, d.row_bytes, {}
            FROM deliveries d
            WHERE d.id = ?1
            ",
            rows::MARKS_COLUMN
        ))?
        .query_row([id.as_bytes()], |row| {
            let verdict = encoding::verdict(row.get("verdict")?);
            Ok((
                row.get::<_, i64>("seq")?,
                verdict,
                row.get::<_, i64>("row_bytes")?,
                rows::marks(row, MARKS)?,
            ))
        })
        .optional()?;
    let Some((seq, verdict, bytes, before)) = found else { return Ok(Marked::NoDelivery) };
    let after = before.clone().changed(change);
    if after.is_pinned && !before.is_pinned {
        let (pins, weight) = pins(connection)?;
        if pins >= MOST_PINS || weight.saturating_add(bytes).unsigned_abs() > room {
            return Ok(Marked::TooManyPins);
        }
    }
    if after.is_empty() {
        connection.prepare_cached("DELETE FROM delivery_marks WHERE seq = ?1")?.execute([seq])?;
    } else {
        let tags = serde_json::to_string(&after.tags).unwrap_or_else(|_| "[]".to_owned());
        connection
            .prepare_cached(
                r"
                INSERT INTO delivery_marks (seq, is_pinned, note, tags)
                VALUES (:seq, :is_pinned, :note, :tags)
                ON CONFLICT (seq) DO UPDATE SET
                    is_pinned = :is_pinned,
                    note = :note,
                    tags = :tags
                ",
            )?
            .execute(named_params! {
                ":seq": seq,
                ":is_pinned": after.is_pinned,
                ":note": after.note,
                ":tags": tags,
            })?;
    }
    match (verdict, before.is_pinned, after.is_pinned) {
        (Some(verdict), false, true) => change_total(connection, verdict, -1, -bytes)?,
        (Some(verdict), true, false) => change_total(connection, verdict, 1, bytes)?,
        _ => {}
    }
    Ok(Marked::Done(after))
}

/// The number and total weight of pinned deliveries.
fn pins(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    connection
        .prepare_cached(
            r"
            SELECT count(*) AS pins, coalesce(sum(d.row_bytes), 0) AS bytes
            FROM delivery_marks m
            JOIN deliveries d USING (seq)
            WHERE m.is_pinned
            ",
        )?
        .query_row([], |row| Ok((row.get("pins")?, row.get("bytes")?)))
}
