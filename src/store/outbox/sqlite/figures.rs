//! Figures of the attempts, and health checks of the endpoints.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::claims::Claims;
use crate::domain::{Attempt, Timestamp};
use crate::store::numbers::PENDING;
use crate::store::outbox::limits::{COUNTED, KEPT_CHECKS};
use crate::store::outbox::tally::{self, RECENT, Tally, middle, stored};
use crate::store::sqlite::{Sqlite, fields, whole};
use crate::store::{Health, HealthCheck, SenderFigures, StoreError};

#[async_trait]
impl Health for Sqlite {
    async fn sender_figures(&self) -> Result<Vec<SenderFigures>, StoreError> {
        let claims = Arc::clone(&self.claims);
        self.read(move |from| figures(from, &claims)).await
    }

    async fn add_health(&self, check: HealthCheck) -> Result<(), StoreError> {
        self.change(move |to| add_health(to, &check)).await
    }

    async fn health(&self, subscription: String, limit: usize) -> Result<Vec<HealthCheck>, StoreError> {
        self.read(move |from| health(from, &subscription, limit)).await
    }
}

/// Counts attempts into the figures of the subscriptions that made them.
pub fn count<'a>(
    connection: &Connection,
    attempts: impl Iterator<Item = &'a Attempt>,
) -> rusqlite::Result<()> {
    let Tally { totals, buckets } = tally::tally(attempts);
    for (target, counted) in totals {
        connection
            .prepare_cached(
                r"
                INSERT INTO sender_totals (
                    subscription_id, attempts, successful, retries,
                    answered, answered_us, last_success_at, last_failure_at, recent
                ) VALUES (
                    :subscription, :attempts, :successful, :retries,
                    :answered, :answered_us, :last_success_at, :last_failure_at, :recent
                )
                ON CONFLICT (subscription_id) DO UPDATE SET
                    attempts = attempts + :attempts,
                    successful = successful + :successful,
                    retries = retries + :retries,
                    answered = answered + :answered,
                    answered_us = answered_us + :answered_us,
                    last_success_at = coalesce(:last_success_at, last_success_at),
                    last_failure_at = coalesce(:last_failure_at, last_failure_at),
                    recent = substr(:recent || recent, 1, :most_recent)
                ",
            )?
            .execute(named_params! {
                ":subscription": target,
                ":attempts": stored(counted.attempts),
                ":successful": stored(counted.successful),
                ":retries": stored(counted.retries),
                ":answered": stored(counted.answered),
                ":answered_us": stored(counted.answered_us),
                ":last_success_at": counted.last_success_at.map(Timestamp::as_micros),
                ":last_failure_at": counted.last_failure_at.map(Timestamp::as_micros),
                ":recent": tally::recent_text(&counted.recent),
                ":most_recent": whole(RECENT),
            })?;
    }
    for ((target, bucket), counted) in buckets {
        connection
            .prepare_cached(
                r"
                INSERT INTO sender_latency (subscription_id, bucket, attempts)
                VALUES (?1, ?2, ?3)
                ON CONFLICT (subscription_id, bucket) DO UPDATE SET attempts = attempts + ?3
                ",
            )?
            .execute(params![target, bucket, counted])?;
    }
    Ok(())
}

/// The figures of every subscription that exists or ever sent a message.
fn figures(connection: &Connection, claims: &Claims) -> rusqlite::Result<Vec<SenderFigures>> {
    let sending = sending(connection, claims)?;
    let mut all = connection
        .prepare_cached(
            r"
            SELECT
                i.id AS subscription,
                coalesce(attempts, 0) AS attempts,
                coalesce(successful, 0) AS successful,
                coalesce(retries, 0) AS retries,
                coalesce(answered, 0) AS answered,
                coalesce(answered_us, 0) AS answered_us,
                last_success_at, last_failure_at, s.parked_since,
                coalesce(recent, '') AS recent
            FROM (SELECT subscription_id AS id FROM sender_totals UNION SELECT id FROM subscriptions) i
            LEFT JOIN sender_totals t ON t.subscription_id = i.id
            LEFT JOIN subscriptions s ON s.id = i.id
            ORDER BY i.id
            ",
        )?
        .query_map([], totals)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for figures in &mut all {
        figures.durations = connection
            .prepare_cached(
                r"
                SELECT bucket, attempts
                FROM sender_latency
                WHERE subscription_id = ?1
                ORDER BY bucket
                ",
            )?
            .query_map([&figures.subscription], |row| {
                Ok((middle(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs()))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let sending = sending.get(&figures.subscription).copied().unwrap_or_default();
        let waiting = counted(
            connection,
            &format!(
                r"
                SELECT count(*)
                FROM (SELECT 1 FROM messages WHERE target_id = ?1 AND status = {PENDING} LIMIT ?2)
                "
            ),
            (&figures.subscription, COUNTED.saturating_add(sending)),
        )?
        .saturating_sub(sending.unsigned_abs());
        if figures.parked_since.is_some() {
            figures.parked = waiting;
        } else {
            figures.pending = waiting;
        }
        figures.dead = counted(
            connection,
            "SELECT count(*) FROM (SELECT 1 FROM dead_letters WHERE subscription_id = ?1 LIMIT ?2)",
            (&figures.subscription, COUNTED),
        )?;
    }
    Ok(all)
}

/// How many messages of each lane are being sent. In the file they wait.
fn sending(connection: &Connection, claims: &Claims) -> rusqlite::Result<HashMap<String, i64>> {
    let mut target = connection
        .prepare_cached(&format!("SELECT target_id FROM messages WHERE seq = ?1 AND status = {PENDING}"))?;
    let mut sending = HashMap::new();
    for seq in claims.all() {
        if let Some(target) = target.query_row([seq], |row| row.get(0)).optional()? {
            let count: &mut i64 = sending.entry(target).or_default();
            *count = count.saturating_add(1);
        }
    }
    Ok(sending)
}

fn counted(connection: &Connection, sql: &str, (subscription, most): (&str, i64)) -> rusqlite::Result<u64> {
    let count: i64 =
        connection.prepare_cached(sql)?.query_row(params![subscription, most], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

fn totals(row: &Row<'_>) -> rusqlite::Result<SenderFigures> {
    let count = |name: &str| fields::count(row, name);
    let time = |name: &str| fields::time_if_any(row, name);
    Ok(SenderFigures {
        subscription: row.get("subscription")?,
        attempts: count("attempts")?,
        successful: count("successful")?,
        retries: count("retries")?,
        answered: count("answered")?,
        answered_us: count("answered_us")?,
        last_success_at: time("last_success_at")?,
        last_failure_at: time("last_failure_at")?,
        parked_since: time("parked_since")?,
        recent: tally::recent(row.get_ref("recent")?.as_str()?),
        ..SenderFigures::default()
    })
}

/// Stores a health check of an endpoint; the oldest ones are removed.
pub fn add_health(connection: &Connection, check: &HealthCheck) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            r"
            INSERT INTO health_checks (subscription_id, status, response_code, response_us, error, checked_at)
            VALUES (:subscription, :status, :response_code, :response_us, :error, :checked_at)
            ",
        )?
        .execute(named_params! {
            ":subscription": check.subscription,
            ":status": check.status,
            ":response_code": check.response_code,
            ":response_us": check.response_us.map(stored),
            ":error": check.error,
            ":checked_at": check.checked_at.as_micros(),
        })?;
    connection
        .prepare_cached(
            r"
            DELETE FROM health_checks
            WHERE subscription_id = ?1
              AND seq <= (
                  SELECT seq FROM health_checks WHERE subscription_id = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2
              )
            ",
        )?
        .execute(params![check.subscription, KEPT_CHECKS])?;
    Ok(())
}

/// The last health checks of an endpoint, newest first.
pub fn health(
    connection: &Connection,
    subscription: &str,
    limit: usize,
) -> rusqlite::Result<Vec<HealthCheck>> {
    connection
        .prepare_cached(
            r"
            SELECT subscription_id, status, response_code, response_us, error, checked_at
            FROM health_checks
            WHERE subscription_id = ?1
            ORDER BY seq DESC
            LIMIT ?2
            ",
        )?
        .query_map(params![subscription, whole(limit)], |row| {
            Ok(HealthCheck {
                subscription: row.get("subscription_id")?,
                status: row.get("status")?,
                response_code: row.get("response_code")?,
                response_us: row.get::<_, Option<i64>>("response_us")?.map(i64::unsigned_abs),
                error: row.get("error")?,
                checked_at: fields::time(row, "checked_at")?,
            })
        })?
        .collect()
}
