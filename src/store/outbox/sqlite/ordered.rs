//! Order: which due messages of a lane may be sent now. Messages of one entity are sent one after the other.
//!
//! A message that waits for another one is put off: it is not due for a while, or until the one before it is finished.
//! A long queue of one entity is therefore read once, not at each claim.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::Timestamp;
use crate::store::numbers::{DELIVERED, PENDING};
use crate::store::outbox::limits::PUT_OFF;

/// Selects the first unfinished message of an entity. `messages_in_order` contains the unfinished ones only.
fn first_unfinished() -> String {
    format!(
        r"
        SELECT seq
        FROM messages INDEXED BY messages_in_order
        WHERE target_id = ?1
          AND entity = ?2
          AND status < {DELIVERED}
        ORDER BY seq
        LIMIT 1
        "
    )
}

/// Whether any ordered message is unfinished.
pub fn is_any_unfinished(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(&format!(
            r"
            SELECT 1
            FROM messages INDEXED BY messages_in_order
            WHERE status < {DELIVERED}
              AND entity IS NOT NULL
            LIMIT 1
            "
        ))?
        .exists([])
}

/// Messages that may be sent now.
pub struct Heads {
    /// Their positions, in sending order.
    pub seqs: Vec<i64>,
    /// Whether there may be others.
    pub is_more: bool,
}

/// Of these due messages, at most `limit` with no waiting message of their entity before them; those that must wait are
/// put off.
pub fn heads(
    connection: &Connection,
    target: &str,
    due: &[i64],
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Heads> {
    let mut heads = Heads { seqs: Vec::new(), is_more: false };
    let mut entity = connection.prepare_cached("SELECT entity FROM messages WHERE seq = ?1")?;
    let mut first = connection.prepare_cached(&first_unfinished())?;
    let mut put_off = connection.prepare_cached("UPDATE messages SET next_attempt_at = ?2 WHERE seq = ?1")?;
    for &seq in due {
        if heads.seqs.len() >= limit {
            heads.is_more = true;
            break;
        }
        let before = match entity.query_row([seq], |row| row.get::<_, Option<String>>(0))? {
            Some(entity) => {
                first.query_row(params![target, entity], |row| row.get::<_, i64>(0)).optional()?
            }
            None => None,
        };
        if before.is_none_or(|first| first == seq) {
            heads.seqs.push(seq);
        } else {
            put_off.execute(params![seq, now.plus(PUT_OFF).as_micros()])?;
        }
    }
    Ok(heads)
}

/// A message of this entity is finished, or has left the lane: the next one becomes due if it was put off.
pub fn wake_next(
    connection: &Connection,
    target: &str,
    entity: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let next: Option<i64> = connection
        .prepare_cached(&first_unfinished())?
        .query_row(params![target, entity], |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached(&format!(
            r"
            UPDATE messages
            SET next_attempt_at = min(created_at, ?2)
            WHERE seq = ?1
              AND status = {PENDING}
              AND attempts = attempts_before
              AND next_attempt_at > ?2
            "
        ))?
        .execute(params![next, now.as_micros()])?;
    Ok(())
}
