//! Pins, notes and tags in PostgreSQL.

use async_trait::async_trait;

use super::MOST_PINS;
use crate::domain::{DeliveryId, MarksChange};
use crate::store::log::postgres::rows::{MARKS_COLUMN, marks};
use crate::store::postgres::{Postgres, Transaction, column, params};
use crate::store::{Marked, Marking, StoreError};

/// The key of the lock of those who pin, on any node: "tagopins" in bytes.
const PINS_LOCK: i64 = 0x7461_676f_7069_6e73;

#[async_trait]
impl Marking for Postgres {
    async fn mark(&self, id: DeliveryId, change: MarksChange, room: u64) -> Result<Marked, StoreError> {
        let change = &change;
        // Unpinning frees room, so a full store must accept it.
        if change.is_pinned == Some(false) {
            self.change(|to| async move { mark(&to, id, change.clone(), room).await }).await
        } else {
            self.add(|to| async move { mark(&to, id, change.clone(), room).await }).await
        }
    }
}

/// Changes the marks of a delivery. Retention locks the same row before it looks for a pin.
async fn mark(
    to: &Transaction,
    id: DeliveryId,
    change: MarksChange,
    room: u64,
) -> Result<Marked, StoreError> {
    if change.is_pinned == Some(true) {
        to.rows("SELECT pg_advisory_xact_lock($1)", &params![PINS_LOCK]).await?;
    }
    let locked = to
        .maybe(
            "SELECT seq, received_at, row_bytes FROM deliveries WHERE id = $1 FOR NO KEY UPDATE",
            &params![id.as_bytes()],
        )
        .await?;
    let Some(locked) = locked else { return Ok(Marked::NoDelivery) };
    let (seq, received_at): (i64, i64) = (column(&locked, "seq")?, column(&locked, "received_at")?);
    // Another statement than the one that waited for the lock: it sees what the holder before changed.
    let row = to
        .one(
            &format!("SELECT {MARKS_COLUMN} FROM deliveries d WHERE d.seq = $1 AND d.received_at = $2"),
            &params![seq, received_at],
        )
        .await?;
    let before = marks(&row)?;
    let after = before.clone().changed(change);
    if after.is_pinned && !before.is_pinned {
        let (pins, weight) = pins(to).await?;
        let bytes: i64 = column(&locked, "row_bytes")?;
        if pins >= MOST_PINS || weight.saturating_add(bytes).unsigned_abs() > room {
            return Ok(Marked::TooManyPins);
        }
    }
    if after.is_empty() {
        to.run("DELETE FROM delivery_marks WHERE seq = $1", &params![seq]).await?;
    } else {
        let tags = serde_json::to_string(&after.tags).unwrap_or_else(|_| "[]".to_owned());
        to.run(
            r"
            INSERT INTO delivery_marks (seq, is_pinned, note, tags)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (seq) DO UPDATE SET
                is_pinned = excluded.is_pinned,
                note = excluded.note,
                tags = excluded.tags
            ",
            &params![seq, after.is_pinned, after.note, tags],
        )
        .await?;
    }
    Ok(Marked::Done(after))
}

/// The number and total weight of pinned deliveries.
async fn pins(to: &Transaction) -> Result<(i64, i64), StoreError> {
    let row = to
        .one(
            r"
            SELECT count(*) AS pins, coalesce(sum(d.row_bytes), 0)::bigint AS weight
            FROM delivery_marks m
            JOIN deliveries d USING (seq)
            WHERE m.is_pinned
            ",
            &[],
        )
        .await?;
    Ok((column(&row, "pins")?, column(&row, "weight")?))
}
