//! Reads deliveries from the columns of PostgreSQL.

use std::time::Duration;

use bytes::Bytes;
use tokio_postgres::Row;

use crate::domain::{
    BodyEnd, Cause, ClientAddress, Connection, DeliveryId, DeliveryRow, Marks, Reason, StoredDelivery,
    Timestamp, Unverified,
};
use crate::store::log::encoding::{self, address, checks, complete_last_check, headers, verdict};
use crate::store::postgres::column;
use crate::store::{LoggedDelivery, StoreError};

/// The columns of a list row of `deliveries d`, which `row` reads.
pub const ROW_COLUMNS: &str = "d.seq, d.id, d.source, d.received_at, d.method, d.path, d.client_ip, d.event_type,
    d.event_name, d.event_id, d.entity, d.verdict, d.reason, d.status, d.size_bytes, d.duration_us, d.duplicate_of,
    d.unverified,
    (SELECT ARRAY[CASE WHEN m.is_pinned THEN 'pinned' END, m.note, m.tags]
     FROM delivery_marks m WHERE m.seq = d.seq) AS marks,
    (SELECT ARRAY[c.code, c.headline] FROM delivery_causes c WHERE c.seq = d.seq) AS cause";
/// The marks of a delivery `d`.
pub const MARKS_COLUMN: &str = "(SELECT ARRAY[CASE WHEN m.is_pinned THEN 'pinned' END, m.note, m.tags]
    FROM delivery_marks m WHERE m.seq = d.seq) AS marks";
/// The columns of a whole delivery in addition to those of its list row.
pub const BYTES_COLUMNS: &str =
    "d.http_version, d.peer_ip, d.explanation, d.headers, d.body, d.body_end, d.checks,
    d.first_received_at, d.peer_port, d.connection_deliveries, d.hung_up_us, d.node";

/// Reads a list row from the columns of `ROW_COLUMNS`.
///
/// # Errors
/// `Unavailable` if a column has a value that this program does not know.
pub fn row(row: &Row) -> Result<DeliveryRow, StoreError> {
    let reason: Option<String> = column(row, "reason")?;
    Ok(DeliveryRow {
        seq: column(row, "seq")?,
        id: DeliveryId::from_bytes(column(row, "id")?),
        source: column(row, "source")?,
        received_at: Timestamp::from_micros(column(row, "received_at")?),
        method: column(row, "method")?,
        path: column(row, "path")?,
        client_ip: address(column(row, "client_ip")?),
        event_type: column(row, "event_type")?,
        event_name: column(row, "event_name")?,
        event_id: column(row, "event_id")?,
        entity: column(row, "entity")?,
        verdict: verdict(column(row, "verdict")?).ok_or_else(|| unreadable("verdict"))?,
        reason: match reason {
            Some(word) => Some(Reason::from_word(&word).ok_or_else(|| unreadable("reason"))?),
            None => None,
        },
        status: u16::try_from(column::<i64>(row, "status")?).map_err(|_| unreadable("status"))?,
        size_bytes: column::<i64>(row, "size_bytes")?.unsigned_abs(),
        duration_us: column::<i64>(row, "duration_us")?.unsigned_abs(),
        duplicate_of: column::<Option<[u8; 16]>>(row, "duplicate_of")?.map(DeliveryId::from_bytes),
        marks: marks(row)?,
        cause: cause(row)?,
        unverified: unverified(row)?,
    })
}

/// Reads `MARKS_COLUMN`.
///
/// # Errors
/// As for `row`.
pub fn marks(row: &Row) -> Result<Marks, StoreError> {
    let Some(fields) = column::<Option<Vec<Option<String>>>>(row, "marks")? else {
        return Ok(Marks::default());
    };
    let Ok([pinned, note, Some(tags)]) = <[Option<String>; 3]>::try_from(fields) else {
        return Err(unreadable("marks"));
    };
    let tags = serde_json::from_str(&tags).map_err(|_| unreadable("tags"))?;
    Ok(Marks { is_pinned: pinned.is_some(), note, tags })
}

fn cause(row: &Row) -> Result<Option<Cause>, StoreError> {
    let Some(fields) = column::<Option<Vec<Option<String>>>>(row, "cause")? else { return Ok(None) };
    match <[Option<String>; 2]>::try_from(fields) {
        Ok([Some(code), Some(headline)]) => Ok(Some(Cause { code, headline })),
        _ => Err(unreadable("cause")),
    }
}

fn unverified(row: &Row) -> Result<Unverified, StoreError> {
    let Some(text) = column::<Option<String>>(row, "unverified")? else { return Ok(Unverified::default()) };
    encoding::unverified(&text).ok_or_else(|| unreadable("unverified"))
}

/// Reads a whole delivery from `ROW_COLUMNS` and `BYTES_COLUMNS`.
///
/// # Errors
/// As for `row`.
pub fn stored(found: &Row) -> Result<StoredDelivery, StoreError> {
    let row = row(found)?;
    let body_end: String = column(found, "body_end")?;
    let kept: String = column(found, "checks")?;
    let first_received_at: Option<i64> = column(found, "first_received_at")?;
    let mut checks = checks(&kept).ok_or_else(|| unreadable("checks"))?;
    complete_last_check(&mut checks, &row, first_received_at.map(Timestamp::from_micros));
    let deliveries = column::<Option<i64>>(found, "connection_deliveries")?;
    Ok(StoredDelivery {
        http_version: column(found, "http_version")?,
        client: ClientAddress {
            ip: row.client_ip,
            peer: address(column(found, "peer_ip")?),
            explanation: column(found, "explanation")?,
        },
        connection: Connection {
            port: column::<Option<i64>>(found, "peer_port")?.and_then(|port| u16::try_from(port).ok()),
            deliveries: deliveries.and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
        },
        hung_up: column::<Option<i64>>(found, "hung_up_us")?
            .map(|micros| Duration::from_micros(micros.unsigned_abs())),
        headers: headers(&column::<Vec<u8>>(found, "headers")?),
        body: Bytes::from(column::<Vec<u8>>(found, "body")?),
        body_end: BodyEnd::ALL
            .into_iter()
            .find(|end| end.as_str() == body_end)
            .ok_or_else(|| unreadable("body_end"))?,
        checks,
        // Empty for a delivery that was moved from SQLite.
        node: Some(column(found, "node")?).filter(|node: &String| !node.is_empty()),
        row,
    })
}

/// Reads a delivery from `ROW_COLUMNS`, `d.headers` and `d.body`.
///
/// # Errors
/// As for `row`.
pub fn with_bytes(found: &Row) -> Result<LoggedDelivery, StoreError> {
    Ok(LoggedDelivery {
        row: row(found)?,
        headers: headers(&column::<Vec<u8>>(found, "headers")?),
        body: Bytes::from(column::<Vec<u8>>(found, "body")?),
    })
}

fn unreadable(name: &str) -> StoreError {
    StoreError::Unavailable(format!("the column {name} has a value that this program does not know"))
}
