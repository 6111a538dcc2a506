//! Manual actions on waiting messages: send now, move and cancel.

use std::collections::HashMap;

use async_trait::async_trait;

use super::columns::HOME;
use super::locks::{keep_subscriptions, lock_messages, lock_with_earlier, lock_with_next};
use super::ordered;
use crate::domain::{Now, Timestamp};
use crate::store::numbers::{CANCELLED, PENDING, SENDING};
use crate::store::postgres::{Postgres, Transaction, column, params};
use crate::store::{ByHand, StoreError};

#[async_trait]
impl ByHand for Postgres {
    async fn send_now(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<(i64, String)>, StoreError> {
        let seqs = seqs.as_slice();
        self.change(|to| async move { send_now(&to, seqs, now).await }).await
    }

    async fn move_parked(&self, seqs: Vec<i64>, to: String, now: Now) -> Result<Vec<i64>, StoreError> {
        let (seqs, target) = (seqs.as_slice(), &to);
        self.change(|to| async move { move_parked(&to, seqs, target, now).await }).await
    }

    async fn cancel_messages(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<i64>, StoreError> {
        let seqs = seqs.as_slice();
        self.change(|to| async move { cancel(&to, seqs, now).await }).await
    }
}

/// Makes messages due. Messages that wait for their next attempt are due at once; cancelled ones start a new round of
/// attempts. In an ordered lane, the messages before such a message become due with it.
/// Messages that are parked, or neither wait nor are cancelled, do not change. Returns the position and the lane of
/// each due message.
async fn send_now(to: &Transaction, seqs: &[i64], now: Now) -> Result<Vec<(i64, String)>, StoreError> {
    keep_subscriptions(to, &[], seqs).await?;
    lock_with_earlier(to, seqs).await?;
    let rows = to
        .rows(
            r"
            SELECT m.seq, m.status, m.target_id, m.subscription_id, m.entity
            FROM messages m
            JOIN subscriptions s ON s.id = m.subscription_id
            WHERE m.seq = ANY ($1)
              AND s.parked_since IS NULL
            ",
            &params![seqs],
        )
        .await?;
    let mut found = HashMap::new();
    for row in &rows {
        found.insert(column::<i64>(row, "seq")?, row);
    }
    let (mut due, mut cancelled) = (Vec::new(), Vec::new());
    for &seq in seqs {
        let Some(row) = found.remove(&seq) else { continue };
        match column(row, "status")? {
            PENDING => {
                let target: String = column(row, "target_id")?;
                hasten(to, seq, &target, column::<Option<String>>(row, "entity")?.as_deref(), now.due)
                    .await?;
                due.push((seq, target));
            }
            CANCELLED => {
                cancelled.push(seq);
                due.push((seq, column(row, "subscription_id")?));
            }
            _ => {}
        }
    }
    renew(to, &cancelled, now).await?;
    Ok(due)
}

/// Makes a locked message due, and those that wait before it in its lane.
async fn hasten(
    to: &Transaction,
    seq: i64,
    target: &str,
    entity: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    to.run(
        "UPDATE messages SET next_attempt_at = least(next_attempt_at, $2) WHERE seq = $1",
        &params![seq, now.as_micros()],
    )
    .await?;
    if let Some(entity) = entity {
        to.run(
            &format!(
                r"
                UPDATE messages
                SET next_attempt_at = least(next_attempt_at, $4)
                WHERE target_id = $1
                  AND entity = $2
                  AND status = {PENDING}
                  AND seq < $3
                "
            ),
            &params![target, entity, seq, now.as_micros()],
        )
        .await?;
    }
    Ok(())
}

/// Makes locked messages due in their own subscriptions, in a new round of attempts.
pub async fn renew(to: &Transaction, seqs: &[i64], now: Now) -> Result<(), StoreError> {
    to.run(
        &format!(
            r"
            UPDATE messages
            SET status = {PENDING},
                lease_until = NULL,
                next_attempt_at = $2,
                replayed_at = $3,
                finished_at = NULL,
                {HOME}
            WHERE seq = ANY ($1)
            "
        ),
        &params![seqs, now.due.as_micros(), now.wall.as_micros()],
    )
    .await?;
    Ok(())
}

/// Moves parked messages to another subscription in force: due now, in a new round of attempts.
/// Messages that are not parked do not move, nor those whose event the other subscription already has. Returns the
/// positions of the moved messages.
async fn move_parked(to: &Transaction, seqs: &[i64], target: &str, now: Now) -> Result<Vec<i64>, StoreError> {
    // The other subscription stays in force, and the own ones parked, until this is committed.
    keep_subscriptions(to, &[target], seqs).await?;
    lock_messages(to, seqs).await?;
    let mut moved = Vec::new();
    for &seq in seqs {
        // A key that is taken would end the transaction, so it is looked up. If another node takes it at this moment, the
        // transaction is repeated.
        let is_taken = to
            .run(
                &format!(
                    r"
                    UPDATE messages
                    SET subscription_id = $2
                    WHERE seq = $1
                      AND status = {PENDING}
                      AND EXISTS (
                          SELECT 1
                          FROM subscriptions s
                          WHERE s.id = messages.subscription_id
                            AND s.parked_since IS NOT NULL
                      )
                      AND EXISTS (SELECT 1 FROM subscriptions s WHERE s.id = $2 AND s.parked_since IS NULL)
                      AND (by_hand OR NOT EXISTS (
                          SELECT 1
                          FROM messages other
                          WHERE other.subscription_id = $2
                            AND other.event_id = messages.event_id
                            AND NOT other.by_hand
                      ))
                    "
                ),
                &params![seq, target],
            )
            .await?;
        if is_taken == 1 {
            moved.push(seq);
        }
    }
    renew(to, &moved, now).await?;
    Ok(moved)
}

/// Cancels messages that wait, are parked or are being sent; returns the positions of the cancelled messages. A
/// request in flight may still arrive; its message is then delivered, so the number of its claim stays.
async fn cancel(to: &Transaction, seqs: &[i64], now: Now) -> Result<Vec<i64>, StoreError> {
    lock_with_next(to, seqs).await?;
    let rows = to
        .rows(
            &format!(
                r"
                UPDATE messages
                SET status = {CANCELLED},
                    lease_until = NULL,
                    finished_at = $2
                WHERE status IN ({PENDING}, {SENDING})
                  AND seq = ANY ($1)
                RETURNING seq, target_id, entity
                "
            ),
            &params![seqs, now.wall.as_micros()],
        )
        .await?;
    let mut cancelled = Vec::new();
    let mut places = Vec::new();
    for row in &rows {
        cancelled.push(column::<i64>(row, "seq")?);
        if let Some(entity) = column::<Option<String>>(row, "entity")? {
            places.push((column(row, "target_id")?, entity));
        }
    }
    ordered::wake_next(to, &places, now.due).await?;
    let mut seen = seqs.to_vec();
    seen.retain(|seq| cancelled.contains(seq));
    Ok(seen)
}
