//! How the outbox's rows are read from PostgreSQL.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

use crate::domain::{
    Attempt, AttemptError, DeliveryId, MessageId, MessageRow, MessageStatus, OutgoingEvent, Timestamp,
};
use crate::store::StoreError;
use crate::store::numbers;
use crate::store::outbox::columns::home;
use crate::store::postgres::{column, small, unreadable};

/// The assignments of `home!`.
pub const HOME: &str = home!("s.is_ordered");

/// A message from `MESSAGE_COLUMNS`.
pub fn message(row: &Row) -> Result<MessageRow, StoreError> {
    let status = numbers::status(column(row, "status")?, column(row, "is_parked")?)
        .ok_or_else(|| unreadable("status"))?;
    Ok(MessageRow {
        seq: column(row, "seq")?,
        id: MessageId::from_bytes(column(row, "id")?),
        event_id: column(row, "message_event_id")?,
        event_type: column(row, "message_event_type")?,
        subscription: column(row, "subscription_id")?,
        target: column(row, "target_id")?,
        status,
        created_at: time(row, "created_at")?,
        next_attempt_at: match status {
            MessageStatus::Pending => Some(time(row, "next_attempt_at")?),
            _ => None,
        },
        attempts: small(column(row, "attempts")?, "attempts")?,
        delivery: column::<Option<[u8; 16]>>(row, "delivery_id")?.map(DeliveryId::from_bytes),
        replayed_at: maybe_time(row, "replayed_at")?,
    })
}

/// An event from `EVENT_COLUMNS`.
pub fn event(row: &Row) -> Result<OutgoingEvent, StoreError> {
    Ok(OutgoingEvent {
        source: column(row, "source")?,
        event_id: column(row, "event_id")?,
        event_type: column(row, "event_type")?,
        entity: column(row, "entity")?,
        received_at: time(row, "received_at")?,
        body: bytes(row, "body")?,
        delivery: column::<Option<[u8; 16]>>(row, "delivery_id")?.map(DeliveryId::from_bytes),
        lineage: json(row, "lineage")?,
    })
}

/// An attempt from its number and `ATTEMPT_COLUMNS`.
pub fn attempt(row: &Row) -> Result<Attempt, StoreError> {
    let error: Option<String> = column(row, "error")?;
    let status: Option<i64> = column(row, "status")?;
    Ok(Attempt {
        number: small(column(row, "number")?, "number")?,
        target: column(row, "target_id")?,
        started_at: time(row, "started_at")?,
        duration_us: column::<i64>(row, "duration_us")?.unsigned_abs(),
        status: status.map(|status| small(status, "status")).transpose()?,
        error: match error {
            Some(word) => Some(AttemptError::from_word(&word).ok_or_else(|| unreadable("error"))?),
            None => None,
        },
        error_detail: column(row, "error_detail")?,
        response_headers: json(row, "response_headers")?,
        response_body: bytes(row, "response_body")?,
        response_truncated: column(row, "truncated")?,
        missing: json(row, "missing")?,
    })
}

/// A time.
pub fn time(row: &Row, name: &str) -> Result<Timestamp, StoreError> {
    column(row, name).map(Timestamp::from_micros)
}

/// A time that may be missing.
pub fn maybe_time(row: &Row, name: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(column::<Option<i64>>(row, name)?.map(Timestamp::from_micros))
}

/// Bytes.
pub fn bytes(row: &Row, name: &str) -> Result<Bytes, StoreError> {
    column::<Vec<u8>>(row, name).map(Bytes::from)
}

/// A value as stored in JSON.
pub fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|fault| StoreError::Unavailable(fault.to_string()))
}

fn json<T: DeserializeOwned>(row: &Row, name: &str) -> Result<T, StoreError> {
    serde_json::from_str(&column::<String>(row, name)?).map_err(|_| unreadable(name))
}
