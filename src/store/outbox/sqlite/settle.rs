//! Appends attempts and writes their results.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, named_params, params};

use super::claims::Claims;
use super::columns::{attempt_key, to_json};
use super::figures::count;
use super::ordered;
use crate::domain::{Attempt, AttemptError, Timestamp};
use crate::store::numbers::{CANCELLED, DEAD, DELIVERED, PENDING};
use crate::store::outbox::limits::OUT_OF_FORCE;
use crate::store::outbox::tally::stored;
use crate::store::{Next, Settlement};

/// Writes attempts and their results.
pub fn settle(connection: &Connection, claims: &Claims, settlements: &[Settlement]) -> rusqlite::Result<()> {
    let mut settling = Settling::prepare(connection, claims)?;
    for settlement in settlements {
        if let Some(attempt) = &settlement.attempt {
            settling.append(settlement.seq, attempt)?;
        }
        settling.next_step(settlement)?;
    }
    count(connection, settlements.iter().filter_map(|settlement| settlement.attempt.as_ref()))
}

/// Outcomes that are being written, with the statements that each of them needs.
struct Settling<'c> {
    connection: &'c Connection,
    claims: &'c Claims,
    /// Whether any message of an ordered lane is unfinished. Without one, no message has others behind it.
    has_order: bool,
    append: CachedStatement<'c>,
    finish: CachedStatement<'c>,
}

impl<'c> Settling<'c> {
    fn prepare(connection: &'c Connection, claims: &'c Claims) -> rusqlite::Result<Self> {
        let has_order = ordered::is_any_unfinished(connection)?;
        let append = connection.prepare_cached(
            r"
            INSERT OR REPLACE INTO attempts (
                key, target_id, started_at, duration_us,
                status, error, error_detail,
                response_headers, response_body, truncated, missing
            ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            ",
        )?;
        let finish = connection.prepare_cached(&format!(
            r"
            UPDATE messages
            SET status = ?2,
                attempts = attempts + ?3,
                finished_at = ?4
            WHERE seq = ?1
              AND (status = {PENDING} OR ?2 = {DELIVERED})
            "
        ))?;
        Ok(Self { connection, claims, has_order, append, finish })
    }

    /// Writes the next step. A message cancelled in the meantime stays cancelled, unless it was delivered.
    fn next_step(&mut self, settlement: &Settlement) -> rusqlite::Result<()> {
        let made = i64::from(settlement.attempt.is_some());
        let Settlement { seq, at, .. } = *settlement;
        match &settlement.next {
            Next::Delivered => self.finish(settlement, DELIVERED).map(drop),
            Next::Cancelled => self.without_subscription(settlement),
            Next::Retry(when) => self.again(settlement, *when),
            Next::Smaller(when) => {
                self.again(settlement, *when)?;
                self.connection
                    .prepare_cached(
                        "UPDATE messages SET attempts_before = attempts_before + ?2 WHERE seq = ?1",
                    )?
                    .execute(params![seq, made])?;
                Ok(())
            }
            Next::Fallback { target, primary_error, in_order } => {
                let place = self.place(seq)?;
                let changed = self
                    .connection
                    .prepare_cached(
                        r"
                    UPDATE messages
                    SET next_attempt_at = :due,
                        attempts = attempts + :made,
                        attempts_before = attempts + :made,
                        target_id = :fallback,
                        primary_error = :primary_error,
                        entity = :in_order
                    WHERE seq = :seq
                      AND EXISTS (SELECT 1 FROM subscriptions WHERE id = :fallback AND parked_since IS NULL)
                      AND subscription_id NOT IN (SELECT id FROM subscriptions WHERE parked_since IS NOT NULL)
                    ",
                    )?
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
                    _ if changed == 0 => self.again(settlement, at.due),
                    Some((left, entity)) => ordered::wake_next(self.connection, &left, &entity, at.due),
                    None => Ok(()),
                }
            }
            Next::Dead { url, payload, error, primary_error, fallback_error } => {
                if self.finish(settlement, DEAD)? {
                    self.connection
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
    fn place(&self, seq: i64) -> rusqlite::Result<Option<(String, String)>> {
        if !self.has_order {
            return Ok(None);
        }
        self.connection
            .prepare_cached("SELECT target_id, entity FROM messages WHERE seq = ?1 AND entity IS NOT NULL")?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    }

    fn again(&self, settlement: &Settlement, when: Timestamp) -> rusqlite::Result<()> {
        let Settlement { seq, claim, ref attempt, .. } = *settlement;
        let claimed_at = self.claims.get(seq, claim).map(|claim| claim.at.as_micros());
        self.connection
            .prepare_cached(
                r"
                UPDATE messages
                SET next_attempt_at = ?2,
                    attempts = attempts + ?3,
                    claimed_at = coalesce(?4, claimed_at)
                WHERE seq = ?1
                ",
            )?
            .execute(params![seq, when.as_micros(), attempt.is_some(), claimed_at])?;
        Ok(())
    }

    /// Ends a message whose subscription was deleted. If the subscription is parked, the message waits as before the
    /// claim. Otherwise the subscription cannot be used at the moment, and the message waits for a while.
    fn without_subscription(&mut self, settlement: &Settlement) -> rusqlite::Result<()> {
        let is_parked: Option<bool> = self
            .connection
            .prepare_cached(
                r"
                SELECT s.parked_since IS NOT NULL
                FROM messages m
                JOIN subscriptions s ON s.id = m.subscription_id
                WHERE m.seq = ?1
                ",
            )?
            .query_row([settlement.seq], |row| row.get(0))
            .optional()?;
        match is_parked {
            None => self.finish(settlement, CANCELLED).map(drop),
            Some(false) => self.again(settlement, settlement.at.due.plus(OUT_OF_FORCE)),
            Some(true) => Ok(()),
        }
    }

    /// Ends a message and makes the next one of its entity due; `false` if it was cancelled in the meantime and did not
    /// arrive.
    fn finish(&mut self, settlement: &Settlement, status: i64) -> rusqlite::Result<bool> {
        let Settlement { seq, claim, at, ref attempt, .. } = *settlement;
        let made = i64::from(attempt.is_some());
        let place = self.place(seq)?;
        let is_ours = status == DELIVERED || self.claims.get(seq, claim).is_some();
        let changed =
            if is_ours { self.finish.execute(params![seq, status, made, at.wall.as_micros()])? } else { 0 };
        if changed == 0 {
            self.connection
                .prepare_cached("UPDATE messages SET attempts = attempts + ?2 WHERE seq = ?1")?
                .execute(params![seq, made])?;
            return Ok(false);
        }
        if let Some((target, entity)) = place {
            ordered::wake_next(self.connection, &target, &entity, at.due)?;
        }
        Ok(true)
    }

    fn append(&mut self, seq: i64, attempt: &Attempt) -> rusqlite::Result<()> {
        self.append.execute(params![
            attempt_key(seq, attempt.number),
            attempt.target,
            attempt.started_at.as_micros(),
            stored(attempt.duration_us),
            attempt.status,
            attempt.error.map(AttemptError::as_str),
            attempt.error_detail,
            to_json(&attempt.response_headers)?,
            &*attempt.response_body,
            attempt.response_truncated,
            to_json(&attempt.missing)?,
        ])?;
        Ok(())
    }
}
