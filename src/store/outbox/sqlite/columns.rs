//! How the outbox's values are encoded in columns.

use bytes::Bytes;
use rusqlite::types::Type;
use rusqlite::{Error, Row};

use crate::domain::{
    Attempt, AttemptError, DeliveryId, MessageId, MessageRow, MessageStatus, OutgoingEvent, Timestamp,
};

/// The columns of a message in lists, as `message` reads them. The parked state is never written: it follows from the
/// subscription's row. Parking and resuming therefore change one row, however many messages wait.
pub const MESSAGE_COLUMNS: &str = "m.seq, m.id, m.event_id, m.event_type, m.subscription_id, m.target_id, \
     iif(m.status = 0 AND m.subscription_id IN (SELECT id FROM subscriptions WHERE parked_since IS NOT NULL), 5, \
     m.status), m.created_at, m.next_attempt_at, m.attempts, e.delivery_id, m.replayed_at";

/// The columns of an event, as `event` reads them.
pub const EVENT_COLUMNS: &str =
    "e.source, e.event_id, e.event_type, e.entity, e.received_at, e.body, e.delivery_id, e.lineage";

/// The number of columns in `MESSAGE_COLUMNS`.
pub const MESSAGE_WIDTH: usize = 12;
/// The factor by which the position of a message is multiplied in the key of its attempts.
const NUMBERS: i64 = 1 << 16;

/// Returns a message to its own subscription and starts a new round of attempts. It is in order if that subscription
/// sends in order.
pub const HOME: &str = "target_id = subscription_id, attempts_before = attempts, primary_error = NULL, \
     entity = (SELECT e.entity FROM events e JOIN subscriptions s ON s.id = messages.subscription_id \
     WHERE e.seq = messages.event_seq \
     AND CASE WHEN json_valid(s.document) THEN json_extract(s.document, '$.ordered') END)";

/// The number of a status in the store; `Parked` is only ever read.
pub const fn status_number(status: MessageStatus) -> i64 {
    match status {
        MessageStatus::Pending => 0,
        MessageStatus::Sending => 1,
        MessageStatus::Delivered => 2,
        MessageStatus::Dead => 3,
        MessageStatus::Cancelled => 4,
        MessageStatus::Parked => 5,
    }
}

/// The key of an attempt; numbers beyond 65,535 share the last one.
pub fn attempt_key(seq: i64, number: u32) -> i64 {
    seq.saturating_mul(NUMBERS).saturating_add(i64::from(number).min(NUMBERS - 1))
}

/// A message from `MESSAGE_COLUMNS`.
pub fn message(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    let number: i64 = row.get(6)?;
    let status = MessageStatus::ALL
        .into_iter()
        .find(|status| status_number(*status) == number)
        .ok_or_else(|| unreadable(6, Type::Integer))?;
    Ok(MessageRow {
        seq: row.get(0)?,
        id: MessageId::from_bytes(row.get(1)?),
        event_id: row.get(2)?,
        event_type: row.get(3)?,
        subscription: row.get(4)?,
        target: row.get(5)?,
        status,
        created_at: Timestamp::from_micros(row.get(7)?),
        next_attempt_at: match status {
            MessageStatus::Pending => Some(Timestamp::from_micros(row.get(8)?)),
            _ => None,
        },
        attempts: row.get(9)?,
        delivery: row.get::<_, Option<[u8; 16]>>(10)?.map(DeliveryId::from_bytes),
        replayed_at: row.get::<_, Option<i64>>(11)?.map(Timestamp::from_micros),
    })
}

/// An event from `EVENT_COLUMNS`, which begin at column `at`.
pub fn event(row: &Row<'_>, at: usize) -> rusqlite::Result<OutgoingEvent> {
    let lineage: String = row.get(at.saturating_add(7))?;
    Ok(OutgoingEvent {
        source: row.get(at)?,
        event_id: row.get(at.saturating_add(1))?,
        event_type: row.get(at.saturating_add(2))?,
        entity: row.get(at.saturating_add(3))?,
        received_at: Timestamp::from_micros(row.get(at.saturating_add(4))?),
        body: Bytes::copy_from_slice(row.get_ref(at.saturating_add(5))?.as_blob()?),
        delivery: row.get::<_, Option<[u8; 16]>>(at.saturating_add(6))?.map(DeliveryId::from_bytes),
        lineage: json(&lineage, at.saturating_add(7))?,
    })
}

/// The columns of an attempt, as `attempt` reads them.
pub const ATTEMPT_COLUMNS: &str = "key, target_id, started_at, duration_us, status, error, error_detail, \
     response_headers, response_body, truncated, missing";

/// An attempt from `ATTEMPT_COLUMNS`.
pub fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let error: Option<String> = row.get(5)?;
    let headers: String = row.get(7)?;
    let missing: String = row.get(10)?;
    Ok(Attempt {
        number: u32::try_from(row.get::<_, i64>(0)?.rem_euclid(NUMBERS)).unwrap_or_default(),
        target: row.get(1)?,
        started_at: Timestamp::from_micros(row.get(2)?),
        duration_us: row.get::<_, i64>(3)?.unsigned_abs(),
        status: row.get(4)?,
        error: match error {
            Some(word) => Some(AttemptError::from_word(&word).ok_or_else(|| unreadable(5, Type::Text))?),
            None => None,
        },
        error_detail: row.get(6)?,
        response_headers: json(&headers, 7)?,
        response_body: Bytes::copy_from_slice(row.get_ref(8)?.as_blob()?),
        response_truncated: row.get(9)?,
        missing: json(&missing, 10)?,
    })
}

/// Reads a value stored as JSON.
pub fn json<T: serde::de::DeserializeOwned>(text: &str, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|_| unreadable(column, Type::Text))
}

/// A value as stored in JSON.
pub fn to_json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|fault| Error::ToSqlConversionFailure(Box::new(fault)))
}

pub fn unreadable(column: usize, kind: Type) -> Error {
    Error::InvalidColumnType(column, "a value that this program does not know".to_owned(), kind)
}
