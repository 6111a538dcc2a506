//! Retention of the outbox: finished messages, dead letters, and events without messages.

use rusqlite::{Connection, params};

use super::columns::attempt_key;
use crate::domain::Timestamp;
use crate::store::Retention;
use crate::store::numbers::{CANCELLED, DEAD, DELIVERED};
use crate::store::sqlite::whole;
use crate::store::upkeep::cutoff;

/// The number of the oldest rows of a kind among which those are looked for that may go.
const WINDOW: i64 = 500;

/// Removes at most `most` rows of each kind by age; returns how many.
pub fn prune_outbox(
    connection: &Connection,
    retention: &Retention,
    now: Timestamp,
    most: usize,
) -> rusqlite::Result<u64> {
    let most = whole(most);
    let dropped = connection
        .prepare_cached(
            r"
            DELETE FROM dead_letters
            WHERE message_seq IN (
                SELECT message_seq
                FROM (SELECT message_seq, failed_at FROM dead_letters ORDER BY message_seq LIMIT ?2)
                WHERE failed_at < ?1
                LIMIT ?3
            )
            ",
        )?
        .execute(params![cutoff(now, retention.keep_dead_letters), WINDOW, most])?;
    let old = cutoff(now, retention.keep_messages);
    let mut removed = u64::try_from(dropped).unwrap_or(0);
    for status in [DELIVERED, DEAD, CANCELLED] {
        removed = removed.saturating_add(remove_finished(connection, status, old, most)?);
    }
    let events = connection
        .prepare_cached(
            r"
            DELETE FROM events
            WHERE seq IN (
                SELECT seq
                FROM events
                WHERE messages = 0 AND received_at < ?1
                ORDER BY received_at
                LIMIT ?2
            )
            ",
        )?
        .execute(params![cutoff(now, retention.keep_event_ids), most])?;
    Ok(removed.saturating_add(u64::try_from(events).unwrap_or(0)))
}

/// Above `max_size`: removes at most `most` of the oldest delivered messages, whatever their age.
pub fn retire(connection: &Connection, most: usize) -> rusqlite::Result<u64> {
    remove_finished(connection, DELIVERED, i64::MAX, whole(most))
}

/// Removes the oldest messages with a status that finished before `old`, except dead letters.
fn remove_finished(connection: &Connection, status: i64, old: i64, most: i64) -> rusqlite::Result<u64> {
    let doomed = connection
        .prepare_cached(
            r"
            SELECT seq, event_seq
            FROM (SELECT seq, event_seq, finished_at FROM messages WHERE status = ?1 ORDER BY seq LIMIT ?3)
            WHERE finished_at < ?2
              AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE message_seq = seq)
            LIMIT ?4
            ",
        )?
        .query_map(params![status, old, WINDOW, most], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for (seq, event_seq) in &doomed {
        connection.prepare_cached("DELETE FROM messages WHERE seq = ?1")?.execute([seq])?;
        connection
            .prepare_cached("DELETE FROM attempts WHERE key BETWEEN ?1 AND ?2")?
            .execute(params![attempt_key(*seq, 0), attempt_key(*seq, u32::MAX)])?;
        connection
            .prepare_cached("UPDATE events SET messages = messages - 1 WHERE seq = ?1")?
            .execute([event_seq])?;
        connection
            .prepare_cached("DELETE FROM events WHERE seq = ?1 AND messages = 0 AND posted IS NULL")?
            .execute([event_seq])?;
    }
    Ok(u64::try_from(doomed.len()).unwrap_or(0))
}
