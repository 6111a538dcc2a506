//! Questions to the log.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::codec::{self, BYTES_COLUMNS, ROW_COLUMNS};
use super::insert::whole;
use super::search::Where;
use crate::domain::{DeliveryId, DeliveryRow, Query, StoredDelivery, Timestamp};

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
    // The tail is short: walking it beats any index on what is asked for. A unary plus keeps SQLite from using one.
    let sql = format!(
        "SELECT {ROW_COLUMNS} FROM {from} WHERE d.seq > ? AND +({}) ORDER BY d.seq LIMIT ?",
        condition.sql
    );
    let values = [Value::Integer(after)].into_iter().chain(condition.values);
    let values = values.chain([Value::Integer(whole(limit))]);
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values), codec::row)?.collect()
}

/// Everything that is kept of a delivery.
pub fn delivery(connection: &Connection, id: DeliveryId) -> rusqlite::Result<Option<StoredDelivery>> {
    connection
        .prepare_cached(&format!(
            "SELECT {ROW_COLUMNS}, {BYTES_COLUMNS} FROM deliveries d JOIN delivery_bytes b USING (seq) \
             WHERE d.id = ?1"
        ))?
        .query_row([id.as_bytes()], codec::stored)
        .optional()
}
