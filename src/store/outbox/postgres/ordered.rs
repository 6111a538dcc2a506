//! Order: which due messages of a lane may be sent now. Messages of one entity are sent one after the other, over all
//! nodes.
//!
//! A message that waits for another one is put off: it is not due for a while, or until the one before it is finished.
//! A long queue of one entity is therefore read once, not at each claim.

use super::locks::lock_messages;
use crate::domain::Timestamp;
use crate::store::StoreError;
use crate::store::numbers::{DELIVERED, PENDING, SENDING};
use crate::store::outbox::limits::{LOOKED_AT, PUT_OFF};
use crate::store::postgres::{Transaction, column, params, whole};

/// A lane and an entity in it.
pub type Place = (String, String);

/// Messages that may be sent now.
pub struct Heads {
    /// Their positions, in sending order.
    pub seqs: Vec<i64>,
    /// Whether there may be others.
    pub is_more: bool,
}

/// At most `limit` due messages with no waiting message of their entity before them, and none under way; those that must
/// wait are put off. The caller has locked the lane.
///
/// The due messages are locked by a statement of their own. Whoever finishes a message locks the next one of its entity
/// (`wake_next`). So either it did that before the second statement, which then sees the finished one; or it waits until
/// the next one was put off, and wakes it.
pub async fn heads(
    to: &Transaction,
    target: &str,
    now: Timestamp,
    limit: usize,
) -> Result<Heads, StoreError> {
    let due = to
        .rows(
            &format!(
                r"
                SELECT seq
                FROM messages
                WHERE target_id = $1
                  AND status = {PENDING}
                  AND next_attempt_at <= $2
                ORDER BY next_attempt_at, seq
                LIMIT $3
                FOR UPDATE SKIP LOCKED
                "
            ),
            &params![target, now.as_micros(), whole(LOOKED_AT)],
        )
        .await?;
    let due = due.iter().map(|row| column(row, "seq")).collect::<Result<Vec<i64>, _>>()?;
    let mut heads = Heads { seqs: Vec::new(), is_more: due.len() == LOOKED_AT };
    if due.is_empty() {
        return Ok(heads);
    }
    let looked_at = to
        .rows(
            &format!(
                r"
                SELECT m.seq, m.entity IS NULL OR (
                    m.seq = (
                        SELECT seq
                        FROM messages
                        WHERE target_id = $2
                          AND entity = m.entity
                          AND status < {DELIVERED}
                        ORDER BY seq
                        LIMIT 1
                    )
                    AND NOT EXISTS (
                        SELECT 1
                        FROM messages
                        WHERE target_id = $2
                          AND entity = m.entity
                          AND status = {SENDING}
                    )
                ) AS is_first
                FROM unnest($1) WITH ORDINALITY AS due (seq, place)
                JOIN messages m ON m.seq = due.seq
                ORDER BY due.place
                "
            ),
            &params![due, target],
        )
        .await?;
    let mut put_off: Vec<i64> = Vec::new();
    for row in &looked_at {
        if heads.seqs.len() >= limit {
            heads.is_more = true;
            break;
        }
        let fate = if column(row, "is_first")? { &mut heads.seqs } else { &mut put_off };
        fate.push(column(row, "seq")?);
    }
    if !put_off.is_empty() {
        to.run(
            "UPDATE messages SET next_attempt_at = $2 WHERE seq = ANY ($1)",
            &params![put_off, now.plus(PUT_OFF).as_micros()],
        )
        .await?;
    }
    Ok(heads)
}

/// Messages at these places are finished, or have left the lane: the next one of each becomes due if it was put off. It
/// is locked whether it was or not; see `heads`.
pub async fn wake_next(to: &Transaction, places: &[Place], now: Timestamp) -> Result<(), StoreError> {
    if places.is_empty() {
        return Ok(());
    }
    let targets: Vec<&str> = places.iter().map(|(target, _)| target.as_str()).collect();
    let entities: Vec<&str> = places.iter().map(|(_, entity)| entity.as_str()).collect();
    let next = to
        .rows(
            &format!(
                r"
                SELECT DISTINCT (
                    SELECT m.seq
                    FROM messages m
                    WHERE m.target_id = place.target
                      AND m.entity = place.entity
                      AND m.status < {DELIVERED}
                    ORDER BY m.seq
                    LIMIT 1
                ) AS seq
                FROM unnest($1, $2) AS place (target, entity)
                "
            ),
            &params![targets, entities],
        )
        .await?;
    let next = next.iter().map(|row| column(row, "seq")).collect::<Result<Vec<Option<i64>>, _>>()?;
    let mut next: Vec<i64> = next.into_iter().flatten().collect();
    next.sort_unstable();
    lock_messages(to, &next).await?;
    to.run(
        &format!(
            r"
            UPDATE messages
            SET next_attempt_at = least(created_at, $2)
            WHERE seq = ANY ($1)
              AND status = {PENDING}
              AND attempts = attempts_before
              AND next_attempt_at > $2
            "
        ),
        &params![next, now.as_micros()],
    )
    .await?;
    Ok(())
}
