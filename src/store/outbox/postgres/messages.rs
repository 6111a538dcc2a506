//! Queries for messages.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::columns::{attempt, event, message};
use crate::domain::{Clock, MessageFilter, MessageId, MessageRow, MessageStatus};
use crate::store::numbers::{PENDING, status_number};
use crate::store::outbox::columns::{ATTEMPT_COLUMNS, EVENT_COLUMNS, MESSAGE_COLUMNS};
use crate::store::postgres::{Connection, Postgres, column, params, whole};
use crate::store::{Messages, StoreError, StoredMessage};

#[async_trait]
impl Messages for Postgres {
    async fn messages(
        &self,
        filter: MessageFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let rows = list(&self.connection().await?, &filter, before, limit).await?;
        Ok(rows.into_iter().map(|row| by_the_wall_clock(&*self.clock, row)).collect())
    }

    async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
        let connection = self.connection().await?;
        let found = connection
            .maybe(
                &format!(
                    r"
                    SELECT {MESSAGE_COLUMNS}, {EVENT_COLUMNS}
                    FROM messages m
                    JOIN events e ON e.seq = m.event_seq
                    WHERE m.id = $1
                    "
                ),
                &params![id.as_bytes()],
            )
            .await?;
        let Some(found) = found else { return Ok(None) };
        let (row, event) = (message(&found)?, event(&found)?);
        let attempts = connection
            .rows(
                &format!(
                    "SELECT number, {ATTEMPT_COLUMNS} FROM attempts WHERE message_seq = $1 ORDER BY number, claim"
                ),
                &params![row.seq],
            )
            .await?;
        let attempts = attempts.iter().map(attempt).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(StoredMessage { row: by_the_wall_clock(&*self.clock, row), event, attempts }))
    }

    async fn made_by(&self, id: MessageId) -> Result<Option<(String, Vec<String>)>, StoreError> {
        let found = self
            .connection()
            .await?
            .maybe(
                &format!(
                    r"
                    SELECT m.target_id, m.subscription_id, {EVENT_COLUMNS}
                    FROM messages m
                    JOIN events e ON e.seq = m.event_seq
                    WHERE m.id = $1
                    "
                ),
                &params![id.as_bytes()],
            )
            .await?;
        let Some(row) = found else { return Ok(None) };
        let mut lineage = event(&row)?.lineage;
        lineage.push(column(&row, "subscription_id")?);
        Ok(Some((column(&row, "target_id")?, lineage)))
    }
}

/// A message with its due time converted to the wall clock; the outbox uses another clock internally.
fn by_the_wall_clock(clock: &dyn Clock, row: MessageRow) -> MessageRow {
    MessageRow { next_attempt_at: row.next_attempt_at.map(|due| clock.shown(due)), ..row }
}

/// Messages that match, the newest first, before the position `before`.
async fn list(
    from: &Connection,
    filter: &MessageFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<MessageRow>, StoreError> {
    if filter.subscription.is_none() || filter.event_id.is_some() || filter.status.is_some() {
        return page(from, filter, before, limit).await;
    }
    // A subscription's messages are indexed by status, each status in order. The newest of each status are merged.
    let mut rows = Vec::new();
    for status in MessageStatus::ALL {
        let of_status = MessageFilter { status: Some(status), ..filter.clone() };
        rows.extend(page(from, &of_status, before, limit).await?);
    }
    rows.sort_by_key(|row| Reverse(row.seq));
    rows.truncate(limit);
    Ok(rows)
}

async fn page(
    from: &Connection,
    filter: &MessageFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<MessageRow>, StoreError> {
    let (status, is_parked) = match filter.status {
        None => (None, None),
        Some(MessageStatus::Parked) => (Some(PENDING), Some(true)),
        Some(MessageStatus::Pending) => (Some(PENDING), Some(false)),
        Some(status) => (Some(status_number(status)), None),
    };
    // The server plans each call with its values, so a condition that is not asked for costs nothing.
    let rows = from
        .rows(
            &format!(
                r"
                SELECT {MESSAGE_COLUMNS}
                FROM messages m
                JOIN events e ON e.seq = m.event_seq
                WHERE ($1::text IS NULL OR m.event_id = $1)
                  AND ($2::text IS NULL OR m.subscription_id = $2)
                  AND ($3::bigint IS NULL OR m.status = $3)
                  AND ($4::boolean IS NULL OR $4 = (m.subscription_id IN (
                      SELECT id FROM subscriptions WHERE parked_since IS NOT NULL
                  )))
                  AND ($5::bigint IS NULL OR m.seq < $5)
                ORDER BY m.seq DESC
                LIMIT $6
                "
            ),
            &params![filter.event_id, filter.subscription, status, is_parked, before, whole(limit)],
        )
        .await?;
    rows.iter().map(message).collect()
}
