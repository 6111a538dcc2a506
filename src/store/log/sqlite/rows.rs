//! Reads deliveries from the columns of SQLite.

use std::time::Duration;

use bytes::Bytes;
use rusqlite::types::Type;
use rusqlite::{Error, Row};

use crate::domain::{
    BodyEnd, Cause, ClientAddress, Connection, DeliveryId, DeliveryRow, Marks, Reason, StoredDelivery,
    Timestamp, Unverified,
};
use crate::store::LoggedDelivery;
use crate::store::log::encoding::{self, address, checks, complete_last_check, headers, verdict};

/// Names each column of a list once. The module `$list` has the SQL of all of them (`COLUMNS`) and the index of each,
/// so that the SQL and the indexes cannot differ. A list row is read a thousand times a page: an index costs nothing
/// there, and a name would be looked up in every row.
macro_rules! columns {
    (
        $list:ident from $from:expr $(, then $after:ident)?;
        $first:ident = $first_sql:literal, $($name:ident = $sql:literal,)*
    ) => {
        pub mod $list {
            //! The columns of one list: their SQL and their indexes.
            /// Their SQL.
            pub const COLUMNS: &str = concat!($first_sql $(, ",\n", $sql)*);
            indexes! { [$($after)?] $from; $first, $($name,)* }
        }
    };
}

macro_rules! indexes {
    ([] $at:expr;) => {};
    ([$after:ident] $at:expr;) => {
        /// The index of the column after them.
        pub const $after: usize = $at;
    };
    ([$($after:ident)?] $at:expr; $name:ident, $($rest:ident,)*) => {
        /// Its index.
        pub const $name: usize = $at;
        indexes! { [$($after)?] $name + 1; $($rest,)* }
    };
}

columns! { list from 0, then AFTER;
    SEQ = "d.seq",
    ID = "d.id",
    SOURCE = "d.source",
    RECEIVED_AT = "d.received_at",
    METHOD = "d.method",
    PATH = "d.path",
    CLIENT_IP = "d.client_ip",
    EVENT_TYPE = "d.event_type",
    EVENT_NAME = "d.event_name",
    EVENT_ID = "d.event_id",
    ENTITY = "d.entity",
    VERDICT = "d.verdict",
    REASON = "d.reason",
    STATUS = "d.status",
    SIZE_BYTES = "d.size_bytes",
    DURATION_US = "d.duration_us",
    DUPLICATE_OF = "d.duplicate_of",
    MARKS = "(SELECT json_array(m.is_pinned, m.note, json(m.tags)) FROM delivery_marks m WHERE m.seq = d.seq)",
    CAUSE = "(SELECT json_array(c.code, c.headline) FROM delivery_causes c WHERE c.seq = d.seq)",
    UNVERIFIED = "d.unverified",
}

columns! { payload from super::list::AFTER;
    HEADERS = "plain_bytes(b.headers, b.packed)",
    BODY = "b.body",
}

columns! { whole from super::list::AFTER;
    HTTP_VERSION = "plain_text(b.http_version, b.packed)",
    PEER_IP = "coalesce(nullif(b.peer_ip, x''), d.client_ip)",
    EXPLANATION = "plain_text(b.explanation, b.packed)",
    HEADERS = "plain_bytes(b.headers, b.packed)",
    BODY = "b.body",
    BODY_END = "plain_text(b.body_end, b.packed)",
    CHECKS = "plain_text(b.checks, b.packed, d.event_id, d.event_type, d.event_name, d.client_ip)",
    FIRST_RECEIVED_AT = "b.first_received_at",
    PEER_PORT = "b.peer_port",
    CONNECTION_DELIVERIES = "b.connection_deliveries",
    HUNG_UP_US = "d.hung_up_us",
}

/// The columns of a list row, as `row` reads them.
pub const ROW_COLUMNS: &str = list::COLUMNS;
/// The headers and the body of a delivery, after the columns of its list row.
pub const PAYLOAD_COLUMNS: &str = payload::COLUMNS;
/// The other columns of a whole delivery, after those of its list row.
pub const WHOLE_COLUMNS: &str = whole::COLUMNS;
/// The marks of a delivery `d`, as in `ROW_COLUMNS`.
pub const MARKS_COLUMN: &str =
    "(SELECT json_array(m.is_pinned, m.note, json(m.tags)) FROM delivery_marks m WHERE m.seq = d.seq)";

/// Reads a list row from `ROW_COLUMNS`.
pub fn row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let reason: Option<String> = row.get(list::REASON)?;
    Ok(DeliveryRow {
        seq: row.get(list::SEQ)?,
        id: DeliveryId::from_bytes(row.get(list::ID)?),
        source: row.get(list::SOURCE)?,
        received_at: Timestamp::from_micros(row.get(list::RECEIVED_AT)?),
        method: row.get(list::METHOD)?,
        path: row.get(list::PATH)?,
        client_ip: address(row.get(list::CLIENT_IP)?),
        event_type: row.get(list::EVENT_TYPE)?,
        event_name: row.get(list::EVENT_NAME)?,
        event_id: row.get(list::EVENT_ID)?,
        entity: row.get(list::ENTITY)?,
        verdict: verdict(row.get(list::VERDICT)?).ok_or_else(|| unreadable(list::VERDICT, Type::Integer))?,
        reason: match reason {
            Some(word) => Some(Reason::from_word(&word).ok_or_else(|| unreadable(list::REASON, Type::Text))?),
            None => None,
        },
        status: row.get(list::STATUS)?,
        size_bytes: row.get::<_, i64>(list::SIZE_BYTES)?.unsigned_abs(),
        duration_us: row.get::<_, i64>(list::DURATION_US)?.unsigned_abs(),
        duplicate_of: row.get::<_, Option<[u8; 16]>>(list::DUPLICATE_OF)?.map(DeliveryId::from_bytes),
        marks: marks(row, list::MARKS)?,
        cause: cause(row, list::CAUSE)?,
        unverified: unverified(row, list::UNVERIFIED)?,
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
    encoding::unverified(&text).ok_or_else(|| unreadable(at, Type::Text))
}

/// Reads a delivery with its headers and body from `ROW_COLUMNS` and `PAYLOAD_COLUMNS`.
pub fn with_payload(found: &Row<'_>) -> rusqlite::Result<LoggedDelivery> {
    Ok(LoggedDelivery {
        row: row(found)?,
        headers: headers(found.get_ref(payload::HEADERS)?.as_blob()?),
        body: Bytes::copy_from_slice(found.get_ref(payload::BODY)?.as_blob()?),
    })
}

/// Reads a whole delivery from `ROW_COLUMNS` and `WHOLE_COLUMNS`.
pub fn stored(found: &Row<'_>) -> rusqlite::Result<StoredDelivery> {
    let row = row(found)?;
    let body_end: String = found.get(whole::BODY_END)?;
    let kept: String = found.get(whole::CHECKS)?;
    let first_received_at: Option<i64> = found.get(whole::FIRST_RECEIVED_AT)?;
    let hung_up_us: Option<i64> = found.get(whole::HUNG_UP_US)?;
    let mut checks = checks(&kept).ok_or_else(|| unreadable(whole::CHECKS, Type::Text))?;
    complete_last_check(&mut checks, &row, first_received_at.map(Timestamp::from_micros));
    Ok(StoredDelivery {
        http_version: found.get(whole::HTTP_VERSION)?,
        client: ClientAddress {
            ip: row.client_ip,
            peer: address(found.get(whole::PEER_IP)?),
            explanation: found.get(whole::EXPLANATION)?,
        },
        connection: Connection {
            port: found.get(whole::PEER_PORT)?,
            deliveries: found.get::<_, Option<u32>>(whole::CONNECTION_DELIVERIES)?.unwrap_or_default(),
        },
        hung_up: hung_up_us.map(|micros| Duration::from_micros(micros.unsigned_abs())),
        headers: headers(found.get_ref(whole::HEADERS)?.as_blob()?),
        body: Bytes::copy_from_slice(found.get_ref(whole::BODY)?.as_blob()?),
        body_end: BodyEnd::ALL
            .into_iter()
            .find(|end| end.as_str() == body_end)
            .ok_or_else(|| unreadable(whole::BODY_END, Type::Text))?,
        checks,
        node: None,
        row,
    })
}

fn unreadable(column: usize, kind: Type) -> Error {
    Error::InvalidColumnType(column, "a value that this program does not know".to_owned(), kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_from_the_same_column_everywhere() {
        assert!(ROW_COLUMNS.contains(MARKS_COLUMN));
        assert_eq!(ROW_COLUMNS.split(",\n").count(), list::AFTER);
    }
}
