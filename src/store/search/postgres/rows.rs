//! Reads list rows from the columns of PostgreSQL.

use tokio_postgres::Row;

use crate::domain::{Cause, DeliveryId, DeliveryRow, Marks, Reason, Timestamp, Unverified};
use crate::store::StoreError;
use crate::store::log::encoding::{address, verdict};
use crate::store::postgres::column;

/// The tables that `ROW_COLUMNS` needs in addition to `deliveries d`.
pub const ROW_TABLES: &str =
    "LEFT JOIN delivery_marks rm ON rm.seq = d.seq LEFT JOIN delivery_causes rc ON rc.seq = d.seq";
/// The columns of a list row.
pub const ROW_COLUMNS: &str = "d.seq, d.id, d.source, d.received_at, d.method, d.path, d.client_ip, d.event_type,
    d.event_name, d.event_id, d.entity, d.verdict, d.reason, d.status, d.size_bytes, d.duration_us, d.duplicate_of,
    d.unverified, rm.is_pinned, rm.note, rm.tags, rc.code, rc.headline";

/// Reads a list row from `ROW_COLUMNS`.
pub fn row(row: &Row) -> Result<DeliveryRow, StoreError> {
    let reason: Option<String> = column(row, "reason")?;
    let status: i64 = column(row, "status")?;
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
        status: u16::try_from(status).map_err(|_| unreadable("status"))?,
        size_bytes: column::<i64>(row, "size_bytes")?.unsigned_abs(),
        duration_us: column::<i64>(row, "duration_us")?.unsigned_abs(),
        duplicate_of: column::<Option<[u8; 16]>>(row, "duplicate_of")?.map(DeliveryId::from_bytes),
        marks: marks(row)?,
        cause: cause(row)?,
        unverified: unverified(row)?,
    })
}

fn marks(row: &Row) -> Result<Marks, StoreError> {
    let Some(is_pinned) = column(row, "is_pinned")? else { return Ok(Marks::default()) };
    let tags: String = column(row, "tags")?;
    let tags = serde_json::from_str(&tags).map_err(|_| unreadable("tags"))?;
    Ok(Marks { is_pinned, note: column(row, "note")?, tags })
}

fn cause(row: &Row) -> Result<Option<Cause>, StoreError> {
    let Some(code) = column(row, "code")? else { return Ok(None) };
    Ok(Some(Cause { code, headline: column(row, "headline")? }))
}

fn unverified(row: &Row) -> Result<Unverified, StoreError> {
    let Some(text) = column::<Option<String>>(row, "unverified")? else { return Ok(Unverified::default()) };
    let (event, id, device, device_name) =
        serde_json::from_str(&text).map_err(|_| unreadable("unverified"))?;
    Ok(Unverified { event, id, device, device_name })
}

fn unreadable(name: &str) -> StoreError {
    StoreError::Unavailable(format!("the column {name} has a value that this program does not know"))
}
