//! Figures of the attempts, and health checks of the endpoints.

use std::collections::HashMap;

use async_trait::async_trait;
use tokio_postgres::Row;

use super::columns::{maybe_time, time};
use crate::domain::{Attempt, Timestamp};
use crate::store::numbers::PENDING;
use crate::store::outbox::limits::{COUNTED, KEPT_CHECKS};
use crate::store::outbox::tally::{self, RECENT, Tally, middle, stored};
use crate::store::postgres::{Postgres, Transaction, column, params, small, whole};
use crate::store::{Health, HealthCheck, SenderFigures, StoreError};

#[async_trait]
impl Health for Postgres {
    async fn sender_figures(&self) -> Result<Vec<SenderFigures>, StoreError> {
        let connection = self.connection().await?;
        let rows = connection
            .rows(
                &format!(
                    r"
                    SELECT
                        i.id AS subscription,
                        coalesce(attempts, 0) AS attempts,
                        coalesce(successful, 0) AS successful,
                        coalesce(retries, 0) AS retries,
                        coalesce(answered, 0) AS answered,
                        coalesce(answered_us, 0) AS answered_us,
                        last_success_at, last_failure_at, s.parked_since,
                        coalesce(recent, '') AS recent,
                        (
                            SELECT count(*)
                            FROM (
                                SELECT 1 FROM messages WHERE target_id = i.id AND status = {PENDING} LIMIT $1
                            ) AS counted
                        ) AS waiting,
                        (
                            SELECT count(*)
                            FROM (SELECT 1 FROM dead_letters WHERE subscription_id = i.id LIMIT $1) AS counted
                        ) AS dead
                    FROM (SELECT subscription_id AS id FROM sender_totals UNION SELECT id FROM subscriptions) AS i
                    LEFT JOIN sender_totals t ON t.subscription_id = i.id
                    LEFT JOIN subscriptions s ON s.id = i.id
                    ORDER BY i.id
                    "
                ),
                &params![COUNTED],
            )
            .await?;
        let latency = connection
            .rows(
                r"
                SELECT subscription_id, bucket, attempts
                FROM sender_latency
                ORDER BY subscription_id, bucket
                ",
                &[],
            )
            .await?;
        let mut durations: HashMap<String, Vec<(f64, u64)>> = HashMap::new();
        for row in &latency {
            let duration = (middle(column(row, "bucket")?), column::<i64>(row, "attempts")?.unsigned_abs());
            durations.entry(column(row, "subscription_id")?).or_default().push(duration);
        }
        rows.iter()
            .map(|row| {
                let totals = totals(row)?;
                let durations = durations.remove(&totals.subscription).unwrap_or_default();
                Ok(SenderFigures { durations, ..totals })
            })
            .collect()
    }

    async fn add_health(&self, check: HealthCheck) -> Result<(), StoreError> {
        let check = &check;
        self.change(|to| async move { add_health(&to, check).await }).await
    }

    async fn health(&self, subscription: String, limit: usize) -> Result<Vec<HealthCheck>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                r"
                SELECT subscription_id, status, response_code, response_us, error, checked_at
                FROM health_checks
                WHERE subscription_id = $1
                ORDER BY seq DESC
                LIMIT $2
                ",
                &params![subscription, whole(limit)],
            )
            .await?;
        rows.iter().map(check).collect()
    }
}

fn totals(row: &Row) -> Result<SenderFigures, StoreError> {
    let count = |name| column::<i64>(row, name).map(i64::unsigned_abs);
    let (parked_since, waiting) = (maybe_time(row, "parked_since")?, count("waiting")?);
    let (pending, parked) = if parked_since.is_some() { (0, waiting) } else { (waiting, 0) };
    Ok(SenderFigures {
        subscription: column(row, "subscription")?,
        attempts: count("attempts")?,
        successful: count("successful")?,
        retries: count("retries")?,
        answered: count("answered")?,
        answered_us: count("answered_us")?,
        durations: Vec::new(),
        recent: tally::recent(&column::<String>(row, "recent")?),
        last_success_at: maybe_time(row, "last_success_at")?,
        last_failure_at: maybe_time(row, "last_failure_at")?,
        pending,
        parked,
        parked_since,
        dead: count("dead")?,
    })
}

fn check(row: &Row) -> Result<HealthCheck, StoreError> {
    let code: Option<i64> = column(row, "response_code")?;
    Ok(HealthCheck {
        subscription: column(row, "subscription_id")?,
        status: column(row, "status")?,
        response_code: code.map(|code| small(code, "response_code")).transpose()?,
        response_us: column::<Option<i64>>(row, "response_us")?.map(i64::unsigned_abs),
        error: column(row, "error")?,
        checked_at: time(row, "checked_at")?,
    })
}

/// Stores a health check of an endpoint; the oldest ones are removed.
async fn add_health(to: &Transaction, check: &HealthCheck) -> Result<(), StoreError> {
    to.run(
        r"
        INSERT INTO health_checks (subscription_id, status, response_code, response_us, error, checked_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ",
        &params![
            check.subscription,
            check.status,
            check.response_code.map(i64::from),
            check.response_us.map(stored),
            check.error,
            check.checked_at.as_micros(),
        ],
    )
    .await?;
    to.run(
        r"
        DELETE FROM health_checks
        WHERE subscription_id = $1
          AND seq <= (
              SELECT seq FROM health_checks WHERE subscription_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2
          )
        ",
        &params![check.subscription, KEPT_CHECKS],
    )
    .await?;
    Ok(())
}

/// Counts attempts into the figures of the subscriptions that made them, in the order of their ids.
pub async fn count<'a>(
    to: &Transaction,
    attempts: impl Iterator<Item = &'a Attempt>,
) -> Result<(), StoreError> {
    let Tally { totals, buckets } = tally::tally(attempts);
    let time = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
    for (target, counted) in totals {
        to.run(
            r"
            INSERT INTO sender_totals AS old (
                subscription_id, attempts, successful, retries,
                answered, answered_us, last_success_at, last_failure_at, recent
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (subscription_id) DO UPDATE SET
                attempts = old.attempts + excluded.attempts,
                successful = old.successful + excluded.successful,
                retries = old.retries + excluded.retries,
                answered = old.answered + excluded.answered,
                answered_us = old.answered_us + excluded.answered_us,
                last_success_at = coalesce(excluded.last_success_at, old.last_success_at),
                last_failure_at = coalesce(excluded.last_failure_at, old.last_failure_at),
                recent = left(excluded.recent || old.recent, $10)
            ",
            &params![
                target,
                stored(counted.attempts),
                stored(counted.successful),
                stored(counted.retries),
                stored(counted.answered),
                stored(counted.answered_us),
                time(counted.last_success_at),
                time(counted.last_failure_at),
                tally::recent_text(&counted.recent),
                i32::try_from(RECENT).unwrap_or(i32::MAX),
            ],
        )
        .await?;
    }
    let (mut targets, mut places, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for ((target, bucket), counted) in buckets {
        targets.push(target);
        places.push(bucket);
        counts.push(counted);
    }
    if !targets.is_empty() {
        to.run(
            r#"
            INSERT INTO sender_latency AS old (subscription_id, bucket, attempts)
            SELECT target, bucket, counted
            FROM unnest($1, $2, $3) AS new (target, bucket, counted)
            ORDER BY target COLLATE "C", bucket
            ON CONFLICT (subscription_id, bucket) DO UPDATE SET attempts = old.attempts + excluded.attempts
            "#,
            &params![targets, places, counts],
        )
        .await?;
    }
    Ok(())
}
