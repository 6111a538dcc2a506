//! Subscriptions: stored, parked, disabled and deleted, each with its messages.

use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::columns::HOME;
use crate::domain::Timestamp;
use crate::store::numbers::{CANCELLED, PENDING, origin, origin_number};
use crate::store::outbox::limits::COUNTED;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::fields::{time, time_if_any, unreadable};
use crate::store::{ParkedRecord, StoreError, SubscriptionRecord, Subscriptions};

#[async_trait]
impl Subscriptions for Sqlite {
    async fn subscriptions(&self) -> Result<Vec<SubscriptionRecord>, StoreError> {
        self.read(records).await
    }

    async fn put_subscription(&self, record: SubscriptionRecord) -> Result<SubscriptionRecord, StoreError> {
        self.add(move |to| put(to, &record)).await
    }

    async fn disable_subscription(
        &self,
        id: String,
        reason: &'static str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change(move |to| disable(to, &id, reason, now)).await
    }

    async fn park_subscription(
        &self,
        id: String,
        now: Timestamp,
    ) -> Result<Option<ParkedRecord>, StoreError> {
        self.change(move |to| park(to, &id, now)).await
    }

    async fn waiting_messages(&self, id: String) -> Result<u64, StoreError> {
        self.read(move |from| waiting(from, &id)).await
    }

    async fn delete_subscription(&self, id: String, now: Timestamp) -> Result<Option<u64>, StoreError> {
        self.change(move |to| delete(to, &id, now)).await
    }
}

/// Every subscription, the oldest first.
pub fn records(connection: &Connection) -> rusqlite::Result<Vec<SubscriptionRecord>> {
    connection
        .prepare_cached(
            r"
            SELECT
                id, origin, document, enabled, disabled_reason,
                created_at, updated_at, since_seq, parked_since
            FROM subscriptions
            ORDER BY created_at, id
            ",
        )?
        .query_map([], |row| {
            Ok(SubscriptionRecord {
                id: row.get("id")?,
                origin: origin(row.get("origin")?).ok_or_else(|| unreadable(row, "origin", Type::Integer))?,
                document: row.get("document")?,
                enabled: row.get("enabled")?,
                disabled_reason: row.get("disabled_reason")?,
                created_at: time(row, "created_at")?,
                updated_at: time(row, "updated_at")?,
                since: row.get("since_seq")?,
                parked_since: time_if_any(row, "parked_since")?,
            })
        })?
        .collect()
}

/// Puts a subscription in force and returns its stored form. A subscription that is new, enabled again or no longer
/// parked gets only later events.
pub fn put(connection: &Connection, record: &SubscriptionRecord) -> rusqlite::Result<SubscriptionRecord> {
    let before: Option<(bool, i64, i64)> = connection
        .prepare_cached(
            r"
            SELECT enabled AND parked_since IS NULL, created_at, since_seq
            FROM subscriptions
            WHERE id = ?1
            ",
        )?
        .query_row([&record.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let newest: i64 = connection
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM deliveries")?
        .query_row([], |row| row.get(0))?;
    let (created_at, since) = match before {
        Some((true, created_at, since)) => (created_at, since),
        Some((false, created_at, _)) => (created_at, newest),
        None => (record.created_at.as_micros(), newest),
    };
    // How attempts ended before a change says nothing about what is sent from now on.
    connection
        .prepare_cached(
            r"
            UPDATE sender_totals
            SET recent = ''
            WHERE subscription_id = ?1
              AND EXISTS (SELECT 1 FROM subscriptions s WHERE s.id = ?1 AND s.document <> ?2)
            ",
        )?
        .execute(params![record.id, record.document])?;
    connection
        .prepare_cached(
            r"
            INSERT INTO subscriptions (
                id, origin, document, enabled, disabled_reason, since_seq, created_at, updated_at
            ) VALUES (
                :id, :origin, :document, :enabled, :disabled_reason, :since, :created_at, :updated_at
            )
            ON CONFLICT (id) DO UPDATE SET
                origin = :origin,
                document = :document,
                enabled = :enabled,
                disabled_reason = :disabled_reason,
                since_seq = :since,
                updated_at = :updated_at,
                parked_since = NULL
            ",
        )?
        .execute(named_params! {
            ":id": record.id,
            ":origin": origin_number(record.origin),
            ":document": record.document,
            ":enabled": record.enabled,
            ":disabled_reason": record.disabled_reason,
            ":since": since,
            ":created_at": created_at,
            ":updated_at": record.updated_at.as_micros(),
        })?;
    let created_at = Timestamp::from_micros(created_at);
    Ok(SubscriptionRecord { created_at, since, parked_since: None, ..record.clone() })
}

/// Takes a subscription out of force but keeps it; its waiting messages are parked. Messages at its fallback, and
/// those it should send as a fallback, return to their own subscription.
pub fn park(connection: &Connection, id: &str, now: Timestamp) -> rusqlite::Result<Option<ParkedRecord>> {
    connection
        .prepare_cached("UPDATE subscriptions SET parked_since = coalesce(parked_since, ?2) WHERE id = ?1")?
        .execute(params![id, now.as_micros()])?;
    for strangers in [
        format!("status = {PENDING} AND target_id = ?1 AND subscription_id <> ?1"),
        format!("status = {PENDING} AND subscription_id = ?1 AND target_id <> ?1"),
    ] {
        connection.prepare_cached(&format!("UPDATE messages SET {HOME} WHERE {strangers}"))?.execute([id])?;
    }
    connection
        .prepare_cached("SELECT parked_since FROM subscriptions WHERE id = ?1")?
        .query_row([id], |row| Ok(Timestamp::from_micros(row.get(0)?)))
        .optional()?
        .map(|since| Ok(ParkedRecord { since, waiting: waiting(connection, id)? }))
        .transpose()
}

/// The number of messages of a subscription that wait or are being sent; counts up to 100,000.
pub fn waiting(connection: &Connection, id: &str) -> rusqlite::Result<u64> {
    let count: i64 = connection
        .prepare_cached(&format!(
            r"
            SELECT count(*)
            FROM (
                SELECT 1
                FROM messages
                WHERE subscription_id = ?1
                  AND status = {PENDING}
                LIMIT ?2
            )
            "
        ))?
        .query_row(params![id, COUNTED], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Disables a subscription and stores the reason.
pub fn disable(connection: &Connection, id: &str, reason: &str, now: Timestamp) -> rusqlite::Result<bool> {
    let changed = connection
        .prepare_cached(
            r"
            UPDATE subscriptions
            SET enabled = 0,
                disabled_reason = ?2,
                updated_at = ?3
            WHERE id = ?1
              AND enabled = 1
            ",
        )?
        .execute(params![id, reason, now.as_micros()])?;
    Ok(changed == 1)
}

/// Removes a subscription. Returns the number of cancelled messages; `None` if the subscription does not exist. Its
/// waiting messages are cancelled, also those at its fallback. Messages it should send as a fallback return to their
/// own subscription.
pub fn delete(connection: &Connection, id: &str, now: Timestamp) -> rusqlite::Result<Option<u64>> {
    let removed = connection.prepare_cached("DELETE FROM subscriptions WHERE id = ?1")?.execute([id])?;
    let cancelled = connection
        .prepare_cached(&format!(
            r"
            UPDATE messages
            SET status = {CANCELLED},
                finished_at = ?2
            WHERE subscription_id = ?1
              AND status = {PENDING}
            "
        ))?
        .execute(params![id, now.as_micros()])?;
    connection
        .prepare_cached(&format!("UPDATE messages SET {HOME} WHERE status = {PENDING} AND target_id = ?1"))?
        .execute([id])?;
    connection.prepare_cached("DELETE FROM health_checks WHERE subscription_id = ?1")?.execute([id])?;
    Ok((removed == 1).then(|| u64::try_from(cancelled).unwrap_or(u64::MAX)))
}
