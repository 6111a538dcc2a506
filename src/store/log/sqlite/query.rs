//! Reads and changes single deliveries of the log.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::rows::{self, ROW_COLUMNS, WHOLE_COLUMNS};
use crate::domain::{DeliveryId, Reason, StoredDelivery};
use crate::store::Answered;
use crate::store::sqlite::whole;

/// Everything stored about a delivery.
pub fn delivery(connection: &Connection, id: DeliveryId) -> rusqlite::Result<Option<StoredDelivery>> {
    connection
        .prepare_cached(&format!(
            r"
            SELECT {ROW_COLUMNS}, {WHOLE_COLUMNS}
            FROM deliveries d
            JOIN delivery_bytes b USING (seq)
            WHERE d.id = ?1
            "
        ))?
        .query_row([id.as_bytes()], rows::stored)
        .optional()
}

/// The response times of the newest deliveries.
pub fn answered_lately(connection: &Connection, last: usize) -> rusqlite::Result<Vec<Answered>> {
    connection
        .prepare_cached("SELECT source, duration_us, reason FROM deliveries ORDER BY seq DESC LIMIT ?1")?
        .query_map([whole(last)], |row| {
            let reason: Option<String> = row.get(2)?;
            Ok(Answered {
                source: row.get(0)?,
                duration_us: row.get::<_, i64>(1)?.unsigned_abs(),
                reason: reason.as_deref().and_then(Reason::from_word),
            })
        })?
        .collect()
}

/// Records that the client of the delivery at `seq` disconnected before our response, `after` the request's head.
pub fn hung_up(connection: &Connection, seq: i64, after: Duration) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE deliveries SET hung_up_us = ?2 WHERE seq = ?1")?
        .execute(params![seq, i64::try_from(after.as_micros()).unwrap_or(i64::MAX)])?;
    Ok(())
}
