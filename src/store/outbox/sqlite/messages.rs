//! Queries for messages.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::columns::{attempt, attempt_key, event, message, to_json};
use crate::domain::{Attempt, Clock, MessageFilter, MessageId, MessageRow, MessageStatus, OutgoingEvent};
use crate::store::numbers::{PENDING, status_number};
use crate::store::outbox::columns::{ATTEMPT_COLUMNS, EVENT_COLUMNS, MESSAGE_COLUMNS};
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{Messages, StoreError, StoredMessage};

/// The subscriptions that are not in force.
const PARKED: &str = "(SELECT id FROM subscriptions WHERE parked_since IS NOT NULL)";

#[async_trait]
impl Messages for Sqlite {
    async fn messages(
        &self,
        filter: MessageFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let claims = Arc::clone(&self.claims);
        let rows = self.read(move |from| list(from, &claims.all(), &filter, before, limit)).await?;
        Ok(rows.into_iter().map(|row| by_the_wall_clock(&*self.clock, row)).collect())
    }

    async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
        let claims = Arc::clone(&self.claims);
        let found = self
            .read(move |from| {
                let claimed = claims.all();
                let Some((row, event)) = one(from, id)? else { return Ok(None) };
                let row = sending(row, &claimed);
                let attempts = attempts(from, row.seq)?;
                Ok(Some(StoredMessage { row, event, attempts }))
            })
            .await?;
        Ok(found.map(|found| StoredMessage { row: by_the_wall_clock(&*self.clock, found.row), ..found }))
    }

    async fn made_by(&self, id: MessageId) -> Result<Option<(String, Vec<String>)>, StoreError> {
        self.read(move |from| made_by(from, id)).await
    }
}

/// A message with its due time converted to the wall clock; the outbox uses another clock internally.
fn by_the_wall_clock(clock: &dyn Clock, row: MessageRow) -> MessageRow {
    MessageRow { next_attempt_at: row.next_attempt_at.map(|due| clock.shown(due)), ..row }
}

/// A message that waits in the file and is claimed is being sent. What is claimed is looked up before the file is read:
/// a claim ends when its outcome is in the file.
fn sending(row: MessageRow, claimed: &HashSet<i64>) -> MessageRow {
    let waits = matches!(row.status, MessageStatus::Pending | MessageStatus::Parked);
    if waits && claimed.contains(&row.seq) {
        return MessageRow { status: MessageStatus::Sending, next_attempt_at: None, ..row };
    }
    row
}

/// Messages that match, the newest first, before the position `before`.
fn list(
    connection: &Connection,
    claimed: &HashSet<i64>,
    filter: &MessageFilter,
    before: Option<i64>,
    limit: usize,
) -> rusqlite::Result<Vec<MessageRow>> {
    if filter.subscription.is_none() || filter.event_id.is_some() || filter.status.is_some() {
        return page(connection, claimed, filter, before, limit);
    }
    // A subscription's messages are indexed by status, each status in order. The newest of each status are merged.
    let mut rows = Vec::new();
    for status in MessageStatus::ALL {
        let of_status = MessageFilter { status: Some(status), ..filter.clone() };
        rows.extend(page(connection, claimed, &of_status, before, limit)?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.seq));
    rows.truncate(limit);
    Ok(rows)
}

fn page(
    connection: &Connection,
    claimed: &HashSet<i64>,
    filter: &MessageFilter,
    before: Option<i64>,
    limit: usize,
) -> rusqlite::Result<Vec<MessageRow>> {
    let mut conditions = vec!["1".to_owned()];
    let mut values: Vec<Value> = Vec::new();
    let mut add = |sql: &str, value: Value| {
        conditions.push(sql.to_owned());
        values.push(value);
    };
    if let Some(event_id) = &filter.event_id {
        add("m.event_id = ?", event_id.clone().into());
    }
    if let Some(subscription) = &filter.subscription {
        add("m.subscription_id = ?", subscription.clone().into());
    }
    let is_claimed = match filter.status {
        Some(MessageStatus::Sending) => Some("IN"),
        Some(MessageStatus::Pending | MessageStatus::Parked) => Some("NOT IN"),
        _ => None,
    };
    if let Some(is_in) = is_claimed {
        add(&format!("m.seq {is_in} (SELECT value FROM json_each(?))"), to_json(claimed)?.into());
    }
    match filter.status {
        None => {}
        Some(MessageStatus::Parked) => {
            add(&format!("m.status = ? AND m.subscription_id IN {PARKED}"), PENDING.into())
        }
        Some(MessageStatus::Pending) => {
            add(&format!("m.status = ? AND m.subscription_id NOT IN {PARKED}"), PENDING.into());
        }
        Some(MessageStatus::Sending) => add("m.status = ?", PENDING.into()),
        Some(status) => add("m.status = ?", status_number(status).into()),
    }
    if let Some(before) = before {
        add("m.seq < ?", before.into());
    }
    let index = match (&filter.event_id, &filter.subscription, filter.status) {
        (Some(_), ..) => "INDEXED BY messages_event",
        (None, _, Some(MessageStatus::Sending)) => "NOT INDEXED",
        (None, Some(_), _) => "INDEXED BY messages_subscription",
        (None, None, Some(_)) => "INDEXED BY messages_status",
        (None, None, None) => "",
    };
    let sql = format!(
        r"
        SELECT {MESSAGE_COLUMNS}
        FROM messages m {index}
        JOIN events e ON e.seq = m.event_seq
        WHERE {}
        ORDER BY m.seq DESC
        LIMIT {}
        ",
        conditions.join(" AND "),
        whole(limit)
    );
    connection
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| message(row).map(|row| sending(row, claimed)))?
        .collect()
}

/// One message with its event.
pub fn one(connection: &Connection, id: MessageId) -> rusqlite::Result<Option<(MessageRow, OutgoingEvent)>> {
    connection
        .prepare_cached(&format!(
            r"
            SELECT {MESSAGE_COLUMNS}, {EVENT_COLUMNS}
            FROM messages m
            JOIN events e ON e.seq = m.event_seq
            WHERE m.id = ?1
            "
        ))?
        .query_row([id.as_bytes()], |row| Ok((message(row)?, event(row)?)))
        .optional()
}

/// The attempts of the message at `seq`, in order.
pub fn attempts(connection: &Connection, seq: i64) -> rusqlite::Result<Vec<Attempt>> {
    connection
        .prepare_cached(&format!(
            "SELECT key, {ATTEMPT_COLUMNS} FROM attempts WHERE key BETWEEN ?1 AND ?2 ORDER BY key"
        ))?
        .query_map(params![attempt_key(seq, 0), attempt_key(seq, u32::MAX)], attempt)?
        .collect()
}

/// The subscription that this message id belongs to, with the lineage of its event; `None` if it is not one of ours.
pub fn made_by(connection: &Connection, id: MessageId) -> rusqlite::Result<Option<(String, Vec<String>)>> {
    connection
        .prepare_cached(&format!(
            r"
            SELECT m.target_id, m.subscription_id, {EVENT_COLUMNS}
            FROM messages m
            JOIN events e ON e.seq = m.event_seq
            WHERE m.id = ?1
            "
        ))?
        .query_row([id.as_bytes()], |row| {
            let mut lineage = event(row)?.lineage;
            lineage.push(row.get("subscription_id")?);
            Ok((row.get("target_id")?, lineage))
        })
        .optional()
}

/// The last event with that id that was sent or published.
pub fn event_of(connection: &Connection, event_id: &str) -> rusqlite::Result<Option<OutgoingEvent>> {
    connection
        .prepare_cached(&format!(
            "SELECT {EVENT_COLUMNS} FROM events e WHERE e.posted IS NOT NULL AND e.event_id = ?1"
        ))?
        .query_row([event_id], event)
        .optional()
}
