//! Queries on the log.

use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::codec::{self, BYTES_COLUMNS, ROW_COLUMNS};
use super::insert::whole;
use super::search::Where;
use crate::domain::{DeliveryId, DeliveryRow, Query, Reason, StoredDelivery, Timestamp, Verdict};
use crate::store::Answered;

/// Rows that match after a position, oldest first.
pub fn since(
    connection: &Connection,
    query: &Query,
    now: Timestamp,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<DeliveryRow>> {
    let condition = Where::of(query, now);
    let from =
        if condition.reads_bytes { "deliveries d JOIN delivery_bytes b USING (seq)" } else { "deliveries d" };
    // The tail is short, so walking it is faster than any index on the filters. The unary plus keeps SQLite from using
    // an index.
    let sql = format!(
        "SELECT {ROW_COLUMNS} FROM {from} WHERE d.seq > ? AND +({}) ORDER BY d.seq LIMIT ?",
        condition.sql
    );
    let values = [Value::Integer(after)].into_iter().chain(condition.values);
    let values = values.chain([Value::Integer(whole(limit))]);
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values), codec::row)?.collect()
}

/// Everything stored about a delivery.
pub fn delivery(connection: &Connection, id: DeliveryId) -> rusqlite::Result<Option<StoredDelivery>> {
    connection
        .prepare_cached(&format!(
            "SELECT {ROW_COLUMNS}, {BYTES_COLUMNS} FROM deliveries d JOIN delivery_bytes b USING (seq) \
             WHERE d.id = ?1"
        ))?
        .query_row([id.as_bytes()], codec::stored)
        .optional()
}

/// How many deliveries there are, of one verdict or of all. The totals leave out what is pinned.
pub fn total(connection: &Connection, verdict: Option<Verdict>) -> rusqlite::Result<u64> {
    let verdict = verdict.map(codec::verdict_number);
    connection
        .prepare_cached(
            "SELECT (SELECT coalesce(sum(rows), 0) FROM totals WHERE ?1 IS NULL OR verdict = ?1) +
                 (SELECT count(*) FROM delivery_marks m JOIN deliveries d USING (seq)
                  WHERE m.is_pinned AND (?1 IS NULL OR d.verdict = ?1))",
        )?
        .query_row([verdict], |row| row.get::<_, i64>(0))
        .map(|rows| u64::try_from(rows).unwrap_or(0))
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
