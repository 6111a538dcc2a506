//! Manual actions on waiting messages: send now, move and cancel.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::claims::Claims;
use super::columns::HOME;
use super::ordered;
use crate::domain::{Now, Timestamp};
use crate::store::numbers::{CANCELLED, PENDING};
use crate::store::sqlite::Sqlite;
use crate::store::{ByHand, StoreError};

#[async_trait]
impl ByHand for Sqlite {
    async fn send_now(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<(i64, String)>, StoreError> {
        let claims = Arc::clone(&self.claims);
        self.change(move |to| send_now(to, &claims, &seqs, now)).await
    }

    async fn move_parked(&self, seqs: Vec<i64>, to: String, now: Now) -> Result<Vec<i64>, StoreError> {
        let claims = Arc::clone(&self.claims);
        self.change(move |connection| move_parked(connection, &claims, &seqs, &to, now)).await
    }

    async fn cancel_messages(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<i64>, StoreError> {
        self.change(move |to| cancel(to, &seqs, now)).await
    }
}

/// Makes messages due. Messages that wait for their next attempt are due at once; cancelled ones start a new round of
/// attempts. In an ordered lane, the messages before such a message become due with it.
/// Messages that are parked, or neither wait nor are cancelled, do not change. Returns the position and the lane of
/// each due message.
fn send_now(
    connection: &Connection,
    claims: &Claims,
    seqs: &[i64],
    now: Now,
) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut due = Vec::new();
    for &seq in seqs {
        let found: Option<(i64, String, Option<String>, String)> = connection
            .prepare_cached(
                r"
                SELECT m.status, m.target_id, m.entity, m.subscription_id
                FROM messages m
                JOIN subscriptions s ON s.id = m.subscription_id
                WHERE m.seq = ?1
                  AND s.parked_since IS NULL
                ",
            )?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        match found {
            Some((PENDING, target, entity, _)) if !claims.has(seq) => {
                hasten(connection, seq, &target, entity.as_deref(), now.due)?;
                due.push((seq, target));
            }
            Some((CANCELLED, .., home)) => {
                // A request that is still under way decides only if it delivers.
                claims.end_any(seq);
                renew(connection, seq, now)?;
                due.push((seq, home));
            }
            _ => {}
        }
    }
    Ok(due)
}

fn hasten(
    connection: &Connection,
    seq: i64,
    target: &str,
    entity: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE messages SET next_attempt_at = min(next_attempt_at, ?2) WHERE seq = ?1")?
        .execute(params![seq, now.as_micros()])?;
    if let Some(entity) = entity {
        connection
            .prepare_cached(&format!(
                r"
                UPDATE messages
                SET next_attempt_at = min(next_attempt_at, :now)
                WHERE target_id = :target
                  AND entity = :entity
                  AND status = {PENDING}
                  AND seq < :seq
                "
            ))?
            .execute(named_params! {
                ":target": target,
                ":entity": entity,
                ":seq": seq,
                ":now": now.as_micros(),
            })?;
    }
    Ok(())
}

/// Makes a message due in its own subscription, in a new round of attempts.
pub fn renew(connection: &Connection, seq: i64, now: Now) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!(
            r"
            UPDATE messages
            SET status = {PENDING},
                next_attempt_at = ?2,
                replayed_at = ?3,
                finished_at = NULL,
                {HOME}
            WHERE seq = ?1
            "
        ))?
        .execute(params![seq, now.due.as_micros(), now.wall.as_micros()])?;
    Ok(())
}

/// Moves parked messages to another subscription in force: due now, in a new round of attempts.
/// Messages that are not parked do not move, nor those whose event the other subscription already has. Returns the
/// positions of the moved messages.
fn move_parked(
    connection: &Connection,
    claims: &Claims,
    seqs: &[i64],
    to: &str,
    now: Now,
) -> rusqlite::Result<Vec<i64>> {
    let mut moved = Vec::new();
    for &seq in seqs.iter().filter(|seq| !claims.has(**seq)) {
        let is_taken = connection
            .prepare_cached(&format!(
                r"
                UPDATE OR IGNORE messages
                SET subscription_id = ?2
                WHERE seq = ?1
                  AND status = {PENDING}
                  AND EXISTS (
                      SELECT 1 FROM subscriptions s WHERE s.id = subscription_id AND s.parked_since IS NOT NULL
                  )
                  AND EXISTS (SELECT 1 FROM subscriptions s WHERE s.id = ?2 AND s.parked_since IS NULL)
                "
            ))?
            .execute(params![seq, to])?;
        if is_taken == 1 {
            renew(connection, seq, now)?;
            moved.push(seq);
        }
    }
    Ok(moved)
}

/// Cancels messages that wait, are parked or are being sent; returns the positions of the cancelled messages. A
/// request in flight may still arrive; its message is then delivered.
pub fn cancel(connection: &Connection, seqs: &[i64], now: Now) -> rusqlite::Result<Vec<i64>> {
    let mut cancelled = Vec::new();
    for &seq in seqs {
        let place: Option<(String, Option<String>)> = connection
            .prepare_cached(&format!(
                r"
                UPDATE messages
                SET status = {CANCELLED},
                    finished_at = ?2
                WHERE seq = ?1
                  AND status = {PENDING}
                RETURNING target_id, entity
                "
            ))?
            .query_row(params![seq, now.wall.as_micros()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((target, entity)) = place else { continue };
        cancelled.push(seq);
        if let Some(entity) = entity {
            ordered::wake_next(connection, &target, &entity, now.due)?;
        }
    }
    Ok(cancelled)
}
