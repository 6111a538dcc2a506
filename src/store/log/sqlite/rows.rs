//! Reads deliveries from the columns of SQLite.

use std::time::Duration;

use bytes::Bytes;
use rusqlite::types::Type;
use rusqlite::{Error, Row};

use crate::domain::{
    BodyEnd, Cause, ClientAddress, Connection, DeliveryId, DeliveryRow, Marks, Reason, StoredDelivery,
    Timestamp, Unverified,
};
use crate::store::log::encoding::{address, checks, headers, tell_claim, verdict};

/// The columns of a list row, in the order that `row` reads them.
pub const ROW_COLUMNS: &str = "d.seq, d.id, d.source, d.received_at, d.method, d.path, d.client_ip, d.event_type, \
     d.event_name, d.event_id, d.entity, d.verdict, d.reason, d.status, d.size_bytes, d.duration_us, d.duplicate_of, \
     (SELECT json_array(m.is_pinned, m.note, json(m.tags)) FROM delivery_marks m WHERE m.seq = d.seq), \
     (SELECT json_array(c.code, c.headline) FROM delivery_causes c WHERE c.seq = d.seq), d.unverified";
/// The number of columns in `ROW_COLUMNS`: the index of the next column.
pub const AFTER_ROW: usize = 20;
/// The marks of a delivery `d`.
pub const MARKS_COLUMN: &str =
    "(SELECT json_array(m.is_pinned, m.note, json(m.tags)) FROM delivery_marks m WHERE m.seq = d.seq)";

/// Reads a list row from the columns of `ROW_COLUMNS`.
pub fn row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let reason: Option<String> = row.get(12)?;
    Ok(DeliveryRow {
        seq: row.get(0)?,
        id: DeliveryId::from_bytes(row.get(1)?),
        source: row.get(2)?,
        received_at: Timestamp::from_micros(row.get(3)?),
        method: row.get(4)?,
        path: row.get(5)?,
        client_ip: address(row.get(6)?),
        event_type: row.get(7)?,
        event_name: row.get(8)?,
        event_id: row.get(9)?,
        entity: row.get(10)?,
        verdict: verdict(row.get(11)?).ok_or_else(|| unreadable(11, Type::Integer))?,
        reason: match reason {
            Some(word) => Some(Reason::from_word(&word).ok_or_else(|| unreadable(12, Type::Text))?),
            None => None,
        },
        status: row.get(13)?,
        size_bytes: row.get::<_, i64>(14)?.unsigned_abs(),
        duration_us: row.get::<_, i64>(15)?.unsigned_abs(),
        duplicate_of: row.get::<_, Option<[u8; 16]>>(16)?.map(DeliveryId::from_bytes),
        marks: marks(row, 17)?,
        cause: cause(row, 18)?,
        unverified: unverified(row, 19)?,
    })
}

/// Reads `MARKS_COLUMN`.
pub fn marks(row: &Row<'_>, at: usize) -> rusqlite::Result<Marks> {
    let Some(text) = row.get::<_, Option<String>>(at)? else { return Ok(Marks::default()) };
    let (is_pinned, note, tags): (u8, Option<String>, Vec<String>) =
        serde_json::from_str(&text).map_err(|_| unreadable(at, Type::Text))?;
    Ok(Marks { is_pinned: is_pinned != 0, note, tags })
}

fn cause(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Cause>> {
    let Some(text) = row.get::<_, Option<String>>(at)? else { return Ok(None) };
    let (code, headline) = serde_json::from_str(&text).map_err(|_| unreadable(at, Type::Text))?;
    Ok(Some(Cause { code, headline }))
}

fn unverified(row: &Row<'_>, at: usize) -> rusqlite::Result<Unverified> {
    let Some(text) = row.get::<_, Option<String>>(at)? else { return Ok(Unverified::default()) };
    let (event, id, device, device_name) =
        serde_json::from_str(&text).map_err(|_| unreadable(at, Type::Text))?;
    Ok(Unverified { event, id, device, device_name })
}

/// The columns of a whole delivery in addition to those of its list row.
pub const BYTES_COLUMNS: &str = "b.http_version, b.peer_ip, b.explanation, b.headers, b.body, b.body_end, b.checks, \
     b.first_received_at, b.peer_port, b.connection_deliveries, d.hung_up_us";

/// Reads a whole delivery from `ROW_COLUMNS` and `BYTES_COLUMNS`.
pub fn stored(found: &Row<'_>) -> rusqlite::Result<StoredDelivery> {
    let row = row(found)?;
    let body_end: String = found.get(25)?;
    let kept: String = found.get(26)?;
    let first_received_at: Option<i64> = found.get(27)?;
    let mut checks = checks(&kept).ok_or_else(|| unreadable(26, Type::Text))?;
    tell_claim(&mut checks, &row, first_received_at.map(Timestamp::from_micros));
    Ok(StoredDelivery {
        http_version: found.get(20)?,
        client: ClientAddress {
            ip: row.client_ip,
            peer: address(found.get(21)?),
            explanation: found.get(22)?,
        },
        connection: Connection {
            port: found.get(28)?,
            deliveries: found.get::<_, Option<u32>>(29)?.unwrap_or_default(),
        },
        hung_up: found.get::<_, Option<i64>>(30)?.map(|micros| Duration::from_micros(micros.unsigned_abs())),
        headers: headers(found.get_ref(23)?.as_blob()?),
        body: Bytes::copy_from_slice(found.get_ref(24)?.as_blob()?),
        body_end: BodyEnd::ALL
            .into_iter()
            .find(|end| end.as_str() == body_end)
            .ok_or_else(|| unreadable(25, Type::Text))?,
        checks,
        row,
    })
}

fn unreadable(column: usize, kind: Type) -> Error {
    Error::InvalidColumnType(column, "a value that this program does not know".to_owned(), kind)
}
