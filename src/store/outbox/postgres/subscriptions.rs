//! Subscriptions: stored, parked, disabled and deleted, each with its messages.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::columns::{HOME, maybe_time, time};
use super::locks::raise_revision;
use crate::domain::Timestamp;
use crate::store::numbers::{CANCELLED, PENDING, SENDING, origin, origin_number};
use crate::store::outbox::limits::COUNTED;
use crate::store::postgres::{Connection, Postgres, Transaction, column, params, unreadable};
use crate::store::{ParkedRecord, StoreError, SubscriptionRecord, Subscriptions};

#[async_trait]
impl Subscriptions for Postgres {
    async fn subscriptions(&self) -> Result<Vec<SubscriptionRecord>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                r"
                SELECT
                    id, origin, document, enabled, disabled_reason,
                    created_at, updated_at, since_seq, parked_since
                FROM subscriptions
                ORDER BY created_at, id
                ",
                &[],
            )
            .await?;
        rows.iter().map(record).collect()
    }

    async fn put_subscription(&self, record: SubscriptionRecord) -> Result<SubscriptionRecord, StoreError> {
        let record = &record;
        self.add(|to| async move { put(&to, record).await }).await
    }

    async fn disable_subscription(
        &self,
        id: String,
        reason: &'static str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = &id;
        self.change(|to| async move { disable(&to, id, reason, now).await }).await
    }

    async fn park_subscription(
        &self,
        id: String,
        now: Timestamp,
    ) -> Result<Option<ParkedRecord>, StoreError> {
        let id = &id;
        self.change(|to| async move { park(&to, id, now).await }).await
    }

    async fn waiting_messages(&self, id: String) -> Result<u64, StoreError> {
        waiting(&self.connection().await?, &id).await
    }

    async fn delete_subscription(&self, id: String, now: Timestamp) -> Result<Option<u64>, StoreError> {
        let id = &id;
        self.change(|to| async move { delete(&to, id, now).await }).await
    }
}

fn record(row: &Row) -> Result<SubscriptionRecord, StoreError> {
    Ok(SubscriptionRecord {
        id: column(row, "id")?,
        origin: origin(column(row, "origin")?).ok_or_else(|| unreadable("origin"))?,
        document: column(row, "document")?,
        enabled: column(row, "enabled")?,
        disabled_reason: column(row, "disabled_reason")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        since: column(row, "since_seq")?,
        parked_since: maybe_time(row, "parked_since")?,
    })
}

/// Puts a subscription in force and returns its stored form. Two nodes may do so at once, as at their start: one of them
/// makes the row, the other one finds it.
async fn put(to: &Transaction, record: &SubscriptionRecord) -> Result<SubscriptionRecord, StoreError> {
    raise_revision(to).await?;
    let before = to.maybe("SELECT document FROM subscriptions WHERE id = $1", &params![record.id]).await?;
    let before: Option<String> = before.map(|row| column(&row, "document")).transpose()?;
    let row = to
        .one(
            r"
            INSERT INTO subscriptions AS old (
                id, origin, document, is_ordered, enabled, disabled_reason,
                since_seq, created_at, updated_at
            ) VALUES (
                $1, $2, $3, $4, $5, $6,
                (SELECT coalesce(max(seq), 0) FROM deliveries), $7, $8
            )
            ON CONFLICT (id) DO UPDATE SET
                origin = excluded.origin,
                document = excluded.document,
                is_ordered = excluded.is_ordered,
                enabled = excluded.enabled,
                disabled_reason = excluded.disabled_reason,
                updated_at = excluded.updated_at,
                parked_since = NULL,
                since_seq = CASE
                    WHEN old.enabled AND old.parked_since IS NULL THEN old.since_seq
                    ELSE excluded.since_seq
                END
            RETURNING created_at, since_seq
            ",
            &params![
                record.id,
                origin_number(record.origin),
                record.document,
                is_ordered(&record.document),
                record.enabled,
                record.disabled_reason,
                record.created_at.as_micros(),
                record.updated_at.as_micros(),
            ],
        )
        .await?;
    if before.is_some_and(|before| before != record.document) {
        // How attempts ended before a change says nothing about what is sent from now on.
        let sql = "UPDATE sender_totals SET recent = '' WHERE subscription_id = $1";
        to.run(sql, &params![record.id]).await?;
    }
    let (created_at, since) = (time(&row, "created_at")?, column(&row, "since_seq")?);
    Ok(SubscriptionRecord { created_at, since, parked_since: None, ..record.clone() })
}

/// Whether a subscription with that document sends in order. It is a column of its own, since the server refuses some documents as JSON.
pub fn is_ordered(document: &str) -> bool {
    let read: Option<serde_json::Value> = serde_json::from_str(document).ok();
    read.and_then(|document| document.get("ordered")?.as_bool()).unwrap_or(false)
}

/// Takes a subscription out of force but keeps it; its waiting messages are parked. Messages at its fallback, and
/// those it should send as a fallback, return to their own subscription.
async fn park(to: &Transaction, id: &str, now: Timestamp) -> Result<Option<ParkedRecord>, StoreError> {
    raise_revision(to).await?;
    let parked = to
        .maybe(
            r"
            UPDATE subscriptions
            SET parked_since = coalesce(parked_since, $2)
            WHERE id = $1
            RETURNING parked_since
            ",
            &params![id, now.as_micros()],
        )
        .await?;
    for strangers in [
        format!("status = {PENDING} AND target_id = $1 AND subscription_id <> $1"),
        format!("status = {SENDING} AND target_id = $1 AND subscription_id <> $1"),
        format!("status IN ({PENDING}, {SENDING}) AND subscription_id = $1 AND target_id <> $1"),
    ] {
        send_home(to, &strangers, id).await?;
    }
    match parked {
        None => Ok(None),
        Some(row) => {
            Ok(Some(ParkedRecord { since: time(&row, "parked_since")?, waiting: waiting(to, id).await? }))
        }
    }
}

/// Returns messages to their own subscription, in the order in which everybody locks them.
async fn send_home(to: &Transaction, condition: &str, id: &str) -> Result<(), StoreError> {
    to.run(
        &format!(
            r"
            UPDATE messages
            SET {HOME}
            WHERE {condition}
              AND seq = ANY (ARRAY(
                  SELECT seq
                  FROM messages
                  WHERE {condition}
                  ORDER BY seq
                  FOR UPDATE
              ))
            "
        ),
        &params![id],
    )
    .await?;
    Ok(())
}

/// The number of messages of a subscription that wait or are being sent; counts up to 100,000.
async fn waiting(from: &Connection, id: &str) -> Result<u64, StoreError> {
    let row = from
        .one(
            &format!(
                r"
                SELECT count(*) AS waiting
                FROM (
                    SELECT 1
                    FROM messages
                    WHERE subscription_id = $1
                      AND status IN ({PENDING}, {SENDING})
                    LIMIT $2
                ) AS counted
                "
            ),
            &params![id, COUNTED],
        )
        .await?;
    Ok(column::<i64>(&row, "waiting")?.unsigned_abs())
}

/// Disables a subscription and stores the reason; `false` if another node did so first.
async fn disable(to: &Transaction, id: &str, reason: &str, now: Timestamp) -> Result<bool, StoreError> {
    raise_revision(to).await?;
    let changed = to
        .run(
            r"
            UPDATE subscriptions
            SET enabled = FALSE,
                disabled_reason = $2,
                updated_at = $3
            WHERE id = $1
              AND enabled
            ",
            &params![id, reason, now.as_micros()],
        )
        .await?;
    Ok(changed == 1)
}

/// Removes a subscription. Its waiting messages are cancelled, also those at its fallback. Messages it should send as a
/// fallback return to their own subscription.
async fn delete(to: &Transaction, id: &str, now: Timestamp) -> Result<Option<u64>, StoreError> {
    raise_revision(to).await?;
    let removed = to.run("DELETE FROM subscriptions WHERE id = $1", &params![id]).await?;
    let cancelled = to
        .run(
            &format!(
                r"
                UPDATE messages
                SET status = {CANCELLED},
                    finished_at = $2
                WHERE status IN ({PENDING}, {SENDING})
                  AND seq = ANY (ARRAY(
                      SELECT seq
                      FROM messages
                      WHERE subscription_id = $1
                        AND status IN ({PENDING}, {SENDING})
                      ORDER BY seq
                      FOR UPDATE
                  ))
                "
            ),
            &params![id, now.as_micros()],
        )
        .await?;
    // Each status has a partial index, so finished messages are not read.
    for status in [PENDING, SENDING] {
        send_home(to, &format!("status = {status} AND target_id = $1"), id).await?;
    }
    to.run("DELETE FROM health_checks WHERE subscription_id = $1", &params![id]).await?;
    Ok((removed == 1).then_some(cancelled))
}
