//! The columns of messages, events and attempts, and how their values are read.

use bytes::Bytes;
use rusqlite::types::Type;
use rusqlite::{Error, Row};

use crate::domain::{Attempt, AttemptError, DeliveryId, MessageId, MessageRow, MessageStatus, OutgoingEvent};
use crate::store::numbers;
use crate::store::outbox::columns::home;
use crate::store::sqlite::fields::{count, json, time, time_if_any, unreadable};

/// The factor by which the position of a message is multiplied in the key of its attempts.
const NUMBERS: i64 = 1 << 16;

/// The assignments of `home!`.
pub const HOME: &str =
    home!("CASE WHEN json_valid(s.document) THEN json_extract(s.document, '$.ordered') END");

/// The key of an attempt; numbers beyond 65,535 share the last one.
pub fn attempt_key(seq: i64, number: u32) -> i64 {
    seq.saturating_mul(NUMBERS).saturating_add(i64::from(number).min(NUMBERS - 1))
}

/// A message from `MESSAGE_COLUMNS`.
pub fn message(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    let status = numbers::status(row.get("status")?, row.get("is_parked")?)
        .ok_or_else(|| unreadable(row, "status", Type::Integer))?;
    Ok(MessageRow {
        seq: row.get("seq")?,
        id: MessageId::from_bytes(row.get("id")?),
        event_id: row.get("message_event_id")?,
        event_type: row.get("message_event_type")?,
        subscription: row.get("subscription_id")?,
        target: row.get("target_id")?,
        status,
        created_at: time(row, "created_at")?,
        next_attempt_at: match status {
            MessageStatus::Pending => Some(time(row, "next_attempt_at")?),
            _ => None,
        },
        attempts: row.get("attempts")?,
        delivery: row.get::<_, Option<[u8; 16]>>("delivery_id")?.map(DeliveryId::from_bytes),
        replayed_at: time_if_any(row, "replayed_at")?,
    })
}

/// An event from `EVENT_COLUMNS`.
pub fn event(row: &Row<'_>) -> rusqlite::Result<OutgoingEvent> {
    Ok(OutgoingEvent {
        source: row.get("source")?,
        event_id: row.get("event_id")?,
        event_type: row.get("event_type")?,
        entity: row.get("entity")?,
        received_at: time(row, "received_at")?,
        body: Bytes::copy_from_slice(row.get_ref("body")?.as_blob()?),
        delivery: row.get::<_, Option<[u8; 16]>>("delivery_id")?.map(DeliveryId::from_bytes),
        lineage: json(row, "lineage")?,
    })
}

/// An attempt from its key and `ATTEMPT_COLUMNS`.
pub fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let error: Option<String> = row.get("error")?;
    Ok(Attempt {
        number: u32::try_from(row.get::<_, i64>("key")?.rem_euclid(NUMBERS)).unwrap_or_default(),
        target: row.get("target_id")?,
        started_at: time(row, "started_at")?,
        duration_us: count(row, "duration_us")?,
        status: row.get("status")?,
        error: match error {
            Some(word) => {
                Some(AttemptError::from_word(&word).ok_or_else(|| unreadable(row, "error", Type::Text))?)
            }
            None => None,
        },
        error_detail: row.get("error_detail")?,
        response_headers: json(row, "response_headers")?,
        response_body: Bytes::copy_from_slice(row.get_ref("response_body")?.as_blob()?),
        response_truncated: row.get("truncated")?,
        missing: json(row, "missing")?,
    })
}

/// A value as stored in JSON.
pub fn to_json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|fault| Error::ToSqlConversionFailure(Box::new(fault)))
}
