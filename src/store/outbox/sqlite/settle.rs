//! Appends attempts and writes their results.

use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::columns::{attempt_key, to_json};
use super::figures::count;
use super::ordered;
use crate::domain::{Attempt, AttemptError, Now, Timestamp};
use crate::store::numbers::{CANCELLED, DEAD, DELIVERED, PENDING, SENDING};
use crate::store::outbox::limits::OUT_OF_FORCE;
use crate::store::outbox::tally::stored;
use crate::store::{Next, Settlement};

/// Writes attempts and their results.
pub fn settle(connection: &Connection, settlements: &[Settlement]) -> rusqlite::Result<()> {
    for settlement in settlements {
        if let Some(attempt) = &settlement.attempt {
            append(connection, settlement.seq, attempt)?;
        }
        next_step(connection, settlement)?;
    }
    count(connection, settlements.iter().filter_map(|settlement| settlement.attempt.as_ref()))
}

/// Writes the next step. A message cancelled in the meantime stays cancelled, unless it was delivered.
fn next_step(connection: &Connection, settlement: &Settlement) -> rusqlite::Result<()> {
    let made = i64::from(settlement.attempt.is_some());
    let Settlement { seq, at, .. } = *settlement;
    match &settlement.next {
        Next::Delivered => finish(connection, seq, DELIVERED, made, at).map(drop),
        Next::Cancelled => without_subscription(connection, seq, at),
        Next::Retry(when) => again(connection, seq, *when, made),
        Next::Smaller(when) => {
            again(connection, seq, *when, made)?;
            connection
                .prepare_cached("UPDATE messages SET attempts_before = attempts_before + ?2 WHERE seq = ?1")?
                .execute(params![seq, made])?;
            Ok(())
        }
        Next::Fallback { target, primary_error, in_order } => {
            let place = place(connection, seq)?;
            let changed = connection
                .prepare_cached(&format!(
                    r"
                    UPDATE messages
                    SET status = iif(status = {SENDING}, {PENDING}, status),
                        lease_until = NULL,
                        next_attempt_at = :due,
                        attempts = attempts + :made,
                        attempts_before = attempts + :made,
                        target_id = :fallback,
                        primary_error = :primary_error,
                        entity = :in_order
                    WHERE seq = :seq
                      AND EXISTS (SELECT 1 FROM subscriptions WHERE id = :fallback AND parked_since IS NULL)
                      AND subscription_id NOT IN (SELECT id FROM subscriptions WHERE parked_since IS NOT NULL)
                    "
                ))?
                .execute(named_params! {
                    ":seq": seq,
                    ":due": at.due.as_micros(),
                    ":made": made,
                    ":fallback": target,
                    ":primary_error": primary_error,
                    ":in_order": in_order,
                })?;
            match place {
                // The fallback was removed, or one of the two subscriptions was parked in the meantime.
                _ if changed == 0 => again(connection, seq, at.due, made),
                Some((left, entity)) => ordered::wake_next(connection, &left, &entity, at.due),
                None => Ok(()),
            }
        }
        Next::Dead { url, payload, error, primary_error, fallback_error } => {
            if finish(connection, seq, DEAD, made, at)? {
                connection
                    .prepare_cached(
                        r"
                        INSERT OR REPLACE INTO dead_letters (
                            message_seq, subscription_id, url, payload,
                            error, primary_error, fallback_error, failed_at, is_told
                        ) VALUES (
                            :seq, :subscription, :url, :payload,
                            :error, :primary_error, :fallback_error, :failed_at, 0
                        )
                        ",
                    )?
                    .execute(named_params! {
                        ":seq": seq,
                        ":subscription": settlement.subscription,
                        ":url": url,
                        ":payload": &**payload,
                        ":error": error,
                        ":primary_error": primary_error,
                        ":fallback_error": fallback_error,
                        ":failed_at": at.wall.as_micros(),
                    })?;
            }
            Ok(())
        }
    }
}

/// The lane of a message, and its entity if the lane is ordered.
fn place(connection: &Connection, seq: i64) -> rusqlite::Result<Option<(String, String)>> {
    connection
        .prepare_cached("SELECT target_id, entity FROM messages WHERE seq = ?1 AND entity IS NOT NULL")?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn again(connection: &Connection, seq: i64, when: Timestamp, made: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!(
            r"
            UPDATE messages
            SET status = iif(status = {SENDING}, {PENDING}, status),
                lease_until = NULL,
                next_attempt_at = ?2,
                attempts = attempts + ?3
            WHERE seq = ?1
            "
        ))?
        .execute(params![seq, when.as_micros(), made])?;
    Ok(())
}

/// Ends a message whose subscription was deleted. If the subscription is parked, the message returns to its state
/// before the claim. Otherwise the subscription cannot be used at the moment, and the message waits.
fn without_subscription(connection: &Connection, seq: i64, now: Now) -> rusqlite::Result<()> {
    let is_parked: Option<bool> = connection
        .prepare_cached(
            r"
            SELECT s.parked_since IS NOT NULL
            FROM messages m
            JOIN subscriptions s ON s.id = m.subscription_id
            WHERE m.seq = ?1
            ",
        )?
        .query_row([seq], |row| row.get(0))
        .optional()?;
    match is_parked {
        None => finish(connection, seq, CANCELLED, 0, now).map(drop),
        Some(false) => again(connection, seq, now.due.plus(OUT_OF_FORCE), 0),
        Some(true) => {
            connection
                .prepare_cached(&format!(
                    r"
                    UPDATE messages
                    SET status = {PENDING},
                        lease_until = NULL
                    WHERE seq = ?1
                      AND status = {SENDING}
                    "
                ))?
                .execute([seq])?;
            Ok(())
        }
    }
}

/// Ends a message and makes the next one of its entity due; `false` if it was cancelled in the meantime and did not
/// arrive.
fn finish(connection: &Connection, seq: i64, status: i64, made: i64, at: Now) -> rusqlite::Result<bool> {
    let place = place(connection, seq)?;
    let changed = connection
        .prepare_cached(&format!(
            r"
            UPDATE messages
            SET status = :status,
                lease_until = NULL,
                attempts = attempts + :made,
                finished_at = :now
            WHERE seq = :seq
              AND (status = {SENDING} OR :status = {DELIVERED})
            "
        ))?
        .execute(named_params! {
            ":seq": seq,
            ":status": status,
            ":made": made,
            ":now": at.wall.as_micros(),
        })?;
    if changed == 0 {
        connection
            .prepare_cached("UPDATE messages SET attempts = attempts + ?2 WHERE seq = ?1")?
            .execute(params![seq, made])?;
        return Ok(false);
    }
    if let Some((target, entity)) = place {
        ordered::wake_next(connection, &target, &entity, at.due)?;
    }
    Ok(true)
}

fn append(connection: &Connection, seq: i64, attempt: &Attempt) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            r"
            INSERT OR REPLACE INTO attempts (
                key, target_id, started_at, duration_us,
                status, error, error_detail,
                response_headers, response_body, truncated, missing
            ) VALUES (
                :key, :target, :started_at, :duration_us,
                :status, :error, :error_detail,
                :response_headers, :response_body, :truncated, :missing
            )
            ",
        )?
        .execute(named_params! {
            ":key": attempt_key(seq, attempt.number),
            ":target": attempt.target,
            ":started_at": attempt.started_at.as_micros(),
            ":duration_us": stored(attempt.duration_us),
            ":status": attempt.status,
            ":error": attempt.error.map(AttemptError::as_str),
            ":error_detail": attempt.error_detail,
            ":response_headers": to_json(&attempt.response_headers)?,
            ":response_body": &*attempt.response_body,
            ":truncated": attempt.response_truncated,
            ":missing": to_json(&attempt.missing)?,
        })?;
    Ok(())
}
