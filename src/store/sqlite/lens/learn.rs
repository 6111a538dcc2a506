//! Updates the lens from the log: the cursor and the learnt data change in one transaction.

use rusqlite::{Connection, params};

use super::facts::{add, fact};
use super::{drift, entities};
use crate::domain::Timestamp;
use crate::store::sqlite::codec::{self, ROW_COLUMNS};
use crate::store::sqlite::insert::whole;
use crate::store::{FannedDelivery, Learnt, LensState};

/// How far the learner has read the log.
pub fn state(connection: &Connection) -> rusqlite::Result<LensState> {
    let heard_at = fact(connection, "lens_heard_at")?;
    Ok(LensState {
        cursor: fact(connection, "lens_cursor")?,
        since: fact(connection, "lens_since")?,
        heard_at: (heard_at > 0).then_some(Timestamp::from_micros(heard_at)),
        entities: fact(connection, "entities")?.unsigned_abs(),
        left_out: fact(connection, "drift_left_out")?.unsigned_abs(),
    })
}

/// Deliveries after `after` that were accepted or failed schema validation, oldest first.
/// At most `limit` deliveries and about `bytes` of bodies.
pub fn unlearnt(
    connection: &Connection,
    after: i64,
    limit: usize,
    bytes: usize,
) -> rusqlite::Result<Vec<FannedDelivery>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ROW_COLUMNS}, b.headers, b.body FROM deliveries d JOIN delivery_bytes b USING (seq) \
         WHERE d.seq > ?1 AND (+d.verdict = 0 OR (+d.verdict = 2 AND +d.reason IN ('invalid_payload', 'unknown_event'))) \
         ORDER BY d.seq LIMIT ?2"
    ))?;
    let mut rows = statement.query(params![after, whole(limit)])?;
    let mut found = Vec::new();
    let mut weight = 0_usize;
    while let Some(row) = rows.next()? {
        let delivery = delivery(row)?;
        weight = weight.saturating_add(delivery.body.len());
        found.push(delivery);
        if weight >= bytes {
            break;
        }
    }
    Ok(found)
}

/// Reads a delivery from `ROW_COLUMNS`, headers and body.
pub fn delivery(row: &rusqlite::Row<'_>) -> rusqlite::Result<FannedDelivery> {
    Ok(FannedDelivery {
        row: codec::row(row)?,
        headers: codec::headers(row.get_ref(codec::AFTER_ROW)?.as_blob()?),
        body: bytes::Bytes::copy_from_slice(row.get_ref(codec::AFTER_ROW + 1)?.as_blob()?),
    })
}

/// Writes what was learnt; `false`, with nothing written, if another caller moved the cursor.
pub fn learn(connection: &Connection, learnt: &Learnt) -> rusqlite::Result<bool> {
    if fact(connection, "lens_cursor")? != learnt.from {
        return Ok(false);
    }
    for learnt in &learnt.types {
        drift::learn(connection, learnt)?;
    }
    for seen in &learnt.entities {
        entities::see(connection, seen, learnt.is_history)?;
    }
    if let Some(moved) = learnt.moved {
        add(connection, "lens_cursor", moved.through.saturating_sub(learnt.from))?;
        add(connection, "drift_left_out", i64::try_from(moved.left_out).unwrap_or(i64::MAX))?;
    }
    Ok(true)
}
