//! Figures of the attempts, and health checks of the endpoints.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, Row, named_params, params};

use crate::domain::{Attempt, Timestamp};
use crate::store::sqlite::numbers::PENDING;
use crate::store::sqlite::{Sqlite, fields, whole};
use crate::store::{Health, HealthCheck, SenderFigures, StoreError};

/// The health checks stored per endpoint.
const KEPT_CHECKS: i64 = 100;
/// The last attempts of each subscription whose end is remembered.
const RECENT: usize = 10;
/// How an attempt ended, as the store has it.
const ARRIVED: char = '+';
const FAILED: char = '-';
/// Beyond this number, messages are not counted individually.
const COUNTED: i64 = 100_000;
/// The ratio between the durations of two neighbouring buckets.
const RATIO: f64 = 1.01;
/// The upper bound of the last bucket, in seconds.
const LONGEST_S: f64 = 3_600.0;

/// The start of each bucket of durations, in microseconds: every microsecond up to a hundred, then in steps of 1 %.
static BUCKETS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut starts = vec![0, 1];
    let mut start = 1e-6;
    while start < LONGEST_S {
        start *= RATIO;
        let micros = u64::try_from(Duration::from_secs_f64(start).as_micros()).unwrap_or(u64::MAX);
        if starts.last().is_none_or(|last| *last < micros) {
            starts.push(micros);
        }
    }
    starts
});

#[async_trait]
impl Health for Sqlite {
    async fn sender_figures(&self) -> Result<Vec<SenderFigures>, StoreError> {
        self.read(figures).await
    }

    async fn add_health(&self, check: HealthCheck) -> Result<(), StoreError> {
        self.change(move |to| add_health(to, &check)).await
    }

    async fn health(&self, subscription: String, limit: usize) -> Result<Vec<HealthCheck>, StoreError> {
        self.read(move |from| health(from, &subscription, limit)).await
    }
}

/// The bucket of a duration.
pub fn bucket(duration_us: u64) -> i64 {
    whole(BUCKETS.partition_point(|start| *start <= duration_us).saturating_sub(1))
}

/// Counts attempts into the figures of the subscriptions that made them.
pub fn count<'a>(
    connection: &Connection,
    attempts: impl Iterator<Item = &'a Attempt>,
) -> rusqlite::Result<()> {
    let mut totals: BTreeMap<&str, SenderFigures> = BTreeMap::new();
    let mut buckets: BTreeMap<(&str, i64), i64> = BTreeMap::new();
    for attempt in attempts {
        add(totals.entry(&attempt.target).or_default(), attempt);
        if attempt.status.is_some() {
            let counted = buckets.entry((&attempt.target, bucket(attempt.duration_us))).or_default();
            *counted = counted.saturating_add(1);
        }
    }
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
                ":recent": ends(&counted.recent),
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

/// How attempts ended, as the store has it.
fn ends(arrived: &[bool]) -> String {
    arrived.iter().map(|arrived| if *arrived { ARRIVED } else { FAILED }).collect()
}

fn add(totals: &mut SenderFigures, attempt: &Attempt) {
    let ended_at = attempt.started_at.plus(Duration::from_micros(attempt.duration_us));
    let count = |total: &mut u64, by: u64| *total = total.saturating_add(by);
    count(&mut totals.attempts, 1);
    count(&mut totals.retries, u64::from(attempt.number > 1));
    if attempt.status.is_some() {
        count(&mut totals.answered, 1);
        count(&mut totals.answered_us, attempt.duration_us);
    }
    totals.recent.insert(0, attempt.is_success());
    totals.recent.truncate(RECENT);
    if attempt.is_success() {
        count(&mut totals.successful, 1);
        totals.last_success_at = Some(ended_at);
    } else {
        totals.last_failure_at = Some(ended_at);
    }
}

/// A count as stored.
pub fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The middle of a bucket, in microseconds.
fn middle(bucket: i64) -> f64 {
    let at = usize::try_from(bucket).unwrap_or_default();
    let micros = |at: usize| {
        let start = BUCKETS.get(at).or(BUCKETS.last()).copied().unwrap_or_default();
        Duration::from_micros(start).as_secs_f64() * 1e6
    };
    let last = (micros(at.saturating_add(1)) - 1.0).max(micros(at));
    f64::midpoint(micros(at), last)
}

/// The figures of every subscription that exists or ever sent a message.
pub fn figures(connection: &Connection) -> rusqlite::Result<Vec<SenderFigures>> {
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
        let waiting = counted(
            connection,
            &format!(
                r"
                SELECT count(*)
                FROM (SELECT 1 FROM messages WHERE target_id = ?1 AND status = {PENDING} LIMIT ?2)
                "
            ),
            &figures.subscription,
        )?;
        if figures.parked_since.is_some() {
            figures.parked = waiting;
        } else {
            figures.pending = waiting;
        }
        figures.dead = counted(
            connection,
            "SELECT count(*) FROM (SELECT 1 FROM dead_letters WHERE subscription_id = ?1 LIMIT ?2)",
            &figures.subscription,
        )?;
    }
    Ok(all)
}

fn counted(connection: &Connection, sql: &str, subscription: &str) -> rusqlite::Result<u64> {
    let count: i64 =
        connection.prepare_cached(sql)?.query_row(params![subscription, COUNTED], |row| row.get(0))?;
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
        recent: row.get_ref("recent")?.as_str()?.chars().map(|end| end == ARRIVED).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_stands_for_its_durations_within_a_hundredth() {
        for duration_us in [0_u32, 1, 2, 57, 99, 100, 101, 1_234, 80_000, 5_000_000, 299_999_999] {
            let off = (middle(bucket(u64::from(duration_us))) - f64::from(duration_us)).abs();
            assert!(off <= f64::from(duration_us) * 0.01, "{duration_us} is off by {off}");
        }
        assert!(bucket(u64::MAX) >= bucket(3_600_000_000));
    }
}
