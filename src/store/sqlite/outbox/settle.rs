//! Appends attempts and writes what comes after them.

use rusqlite::{Connection, params};

use super::columns::{attempt_key, to_json};
use super::figures::{count, stored};
use crate::domain::Attempt;
use crate::store::{Next, Settlement};

/// Writes attempts and what comes after them.
pub fn settle(connection: &Connection, settlements: &[Settlement]) -> rusqlite::Result<()> {
    for settlement in settlements {
        if let Some(attempt) = &settlement.attempt {
            append(connection, settlement.seq, attempt)?;
        }
        go_on(connection, settlement)?;
    }
    count(connection, settlements.iter().filter_map(|settlement| settlement.attempt.as_ref()))
}

/// Writes what comes now. A message that was cancelled meanwhile stays so, unless it was delivered.
fn go_on(connection: &Connection, settlement: &Settlement) -> rusqlite::Result<()> {
    let made = i64::from(settlement.attempt.is_some());
    let at = settlement.at.as_micros();
    let seq = settlement.seq;
    match &settlement.next {
        Next::Delivered => finish(connection, seq, 2, made, at)?,
        Next::Cancelled => finish(connection, seq, 4, made, at)?,
        Next::Retry(when) => connection
            .prepare_cached(
                "UPDATE messages SET status = iif(status = 1, 0, status), lease_until = NULL, next_attempt_at = ?2, \
                 attempts = attempts + ?3 WHERE seq = ?1",
            )?
            .execute(params![seq, when.as_micros(), made])?,
        Next::Fallback { target, primary_error, in_order } => connection
            .prepare_cached(
                "UPDATE messages SET status = iif(status = 1, 0, status), lease_until = NULL, next_attempt_at = ?2, \
                 attempts = attempts + ?3, attempts_before = attempts + ?3, target_id = ?4, primary_error = ?5, \
                 entity = ?6 WHERE seq = ?1",
            )?
            .execute(params![seq, at, made, target, primary_error, in_order])?,
        Next::Dead { url, payload, error, primary_error, fallback_error } => {
            let changed = finish(connection, seq, 3, made, at)?;
            if changed == 1 {
                connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO dead_letters (message_seq, subscription_id, url, payload, error, \
                         primary_error, fallback_error, failed_at, is_told) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
                    )?
                    .execute(params![
                        seq,
                        settlement.subscription,
                        url,
                        &**payload,
                        error,
                        primary_error,
                        fallback_error,
                        at
                    ])?;
            }
            changed
        }
    };
    Ok(())
}

/// Ends a message; returns 0 where it was cancelled meanwhile and did not arrive.
fn finish(connection: &Connection, seq: i64, status: i64, made: i64, at: i64) -> rusqlite::Result<usize> {
    let changed = connection
        .prepare_cached(
            "UPDATE messages SET status = ?2, lease_until = NULL, attempts = attempts + ?3, finished_at = ?4 \
             WHERE seq = ?1 AND (status = 1 OR ?2 = 2)",
        )?
        .execute(params![seq, status, made, at])?;
    if changed == 0 {
        connection
            .prepare_cached("UPDATE messages SET attempts = attempts + ?2 WHERE seq = ?1")?
            .execute(params![seq, made])?;
    }
    Ok(changed)
}

fn append(connection: &Connection, seq: i64, attempt: &Attempt) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO attempts (key, target_id, started_at, duration_us, status, error, error_detail, \
             response_headers, response_body, truncated, missing) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            attempt_key(seq, attempt.number),
            attempt.target,
            attempt.started_at.as_micros(),
            stored(attempt.duration_us),
            attempt.status,
            attempt.error.map(crate::domain::AttemptError::as_str),
            attempt.error_detail,
            to_json(&attempt.response_headers)?,
            &*attempt.response_body,
            attempt.response_truncated,
            to_json(&attempt.missing)?,
        ])?;
    Ok(())
}
