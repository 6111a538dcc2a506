//! Claims due messages, with a lease.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::columns::{EVENT_COLUMNS, event};
use crate::domain::{ClaimedMessage, MessageId, Timestamp};
use crate::store::sqlite::insert::whole;
use crate::store::{Claim, Due, Lane};

/// The most bytes of bodies that a lane gets in one claim, the last one excepted.
const LANE_BYTES: usize = 16 * 1024 * 1024;

/// A request may still be on its way so long after its claim, and count; marks are kept beyond that.
const MARKS_BEYOND: Duration = Duration::from_secs(20);

/// Nobody else works on this file: what was claimed when the program ended is free again. Overdue retries are spread
/// over `spread`, so that an endpoint does not get the whole backlog at one instant.
pub fn recover(connection: &Connection, now: Timestamp, spread: Duration) -> rusqlite::Result<usize> {
    let freed = connection.execute(
        "UPDATE messages SET status = 0, lease_until = NULL, next_attempt_at = ?1 WHERE status = 1",
        [now.as_micros()],
    )?;
    let spread = i64::try_from(spread.as_micros()).unwrap_or(i64::MAX).max(1);
    connection.execute(
        "UPDATE messages SET next_attempt_at = ?1 + abs(random() % ?2) \
         WHERE status = 0 AND attempts > attempts_before AND next_attempt_at < ?1",
        params![now.as_micros(), spread],
    )?;
    Ok(freed)
}

/// The requests through `target` that may count in a window that begins at `since`: when they were claimed, and how
/// many.
pub fn marks(
    connection: &Connection,
    target: &str,
    since: Timestamp,
) -> rusqlite::Result<Vec<(Timestamp, u32)>> {
    connection
        .prepare_cached("SELECT at, requests FROM rate_marks WHERE target_id = ?1 AND at >= ?2 ORDER BY at")?
        .query_map(params![target, since.as_micros()], |row| {
            Ok((Timestamp::from_micros(row.get(0)?), row.get(1)?))
        })?
        .collect()
}

/// Writes down the requests of a lane with a rate, before they are made: the rate holds over a crash.
fn mark(connection: &Connection, lane: &Lane, messages: usize, now: Timestamp) -> rusqlite::Result<()> {
    let Some(window) = lane.window else { return Ok(()) };
    if messages == 0 {
        return Ok(());
    }
    let requests = if lane.batch.is_some() { 1 } else { whole(messages) };
    connection
        .prepare_cached(
            "INSERT INTO rate_marks VALUES (?1, ?2, ?3) ON CONFLICT (target_id, at) \
             DO UPDATE SET requests = requests + ?3",
        )?
        .execute(params![lane.target, now.as_micros(), requests])?;
    connection
        .prepare_cached("DELETE FROM rate_marks WHERE target_id = ?1 AND at < ?2")?
        .execute(params![lane.target, now.minus(window.saturating_mul(2)).minus(MARKS_BEYOND).as_micros()])?;
    Ok(())
}

/// Claims what is due. A lease that ran out frees its message first.
pub fn claim(connection: &Connection, claim: &Claim) -> rusqlite::Result<Due> {
    free_expired(connection, claim)?;
    let mut due = Due::default();
    for lane in &claim.lanes {
        claim_lane(connection, claim, lane, &mut due)?;
    }
    Ok(due)
}

/// Asks first: hardly ever has a lease run out, and an UPDATE builds a table of its own before it finds that out.
fn free_expired(connection: &Connection, claim: &Claim) -> rusqlite::Result<()> {
    let (now, ended) = (claim.now.as_micros(), claim.leases_ended.as_micros());
    let has_expired = connection
        .prepare_cached("SELECT 1 FROM messages WHERE status = 1 AND lease_until < ?1")?
        .exists([ended])?;
    if has_expired {
        connection
            .prepare_cached(
                "UPDATE messages SET status = 0, lease_until = NULL, next_attempt_at = ?1 \
                 WHERE status = 1 AND lease_until < ?2",
            )?
            .execute([now, ended])?;
    }
    Ok(())
}

fn claim_lane(connection: &Connection, claim: &Claim, lane: &Lane, due: &mut Due) -> rusqlite::Result<()> {
    let now = claim.now.as_micros();
    if let Some((size, flush)) = lane.batch
        && let Some(ready_at) = batch_ready_at(connection, lane, claim.now, size, flush)?
    {
        due.next = earliest(due.next, ready_at);
        return Ok(());
    }
    let in_order = if lane.ordered {
        "AND (m.entity IS NULL OR NOT EXISTS (SELECT 1 FROM messages o WHERE o.target_id = m.target_id \
         AND o.entity = m.entity AND o.status < 2 AND o.seq < m.seq))"
    } else {
        ""
    };
    let sql = format!(
        "SELECT m.seq, m.id, m.subscription_id, m.attempts, m.attempts_before, m.primary_error, {EVENT_COLUMNS} \
         FROM messages m JOIN events e ON e.seq = m.event_seq \
         WHERE m.target_id = ?1 AND m.status = 0 AND m.next_attempt_at <= ?2 {in_order} \
         ORDER BY m.next_attempt_at, m.seq"
    );
    let limit = usize::try_from(lane.limit).unwrap_or(usize::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![lane.target, now])?;
    let mut found = Vec::new();
    let mut bytes = 0_usize;
    let mut is_full = false;
    while !is_full && let Some(row) = rows.next()? {
        let message = claimed(row, &lane.target)?;
        bytes = bytes.saturating_add(message.event.body.len());
        found.push(message);
        is_full = found.len() >= limit || bytes >= LANE_BYTES;
    }
    drop(rows);
    let mut take = connection
        .prepare_cached("UPDATE messages SET status = 1, lease_until = ?2, claimed_at = ?3 WHERE seq = ?1")?;
    for message in &found {
        take.execute(params![message.seq, lane.lease_until.as_micros(), now])?;
    }
    mark(connection, lane, found.len(), claim.now)?;
    due.messages.extend(found);
    if !is_full && let Some(at) = next_due(connection, &lane.target, now)? {
        due.next = earliest(due.next, at);
    }
    Ok(())
}

/// With batches: when the lane may be claimed; `None` for now.
fn batch_ready_at(
    connection: &Connection,
    lane: &Lane,
    now: Timestamp,
    size: u32,
    flush: Duration,
) -> rusqlite::Result<Option<Timestamp>> {
    let (count, oldest): (i64, Option<i64>) = connection
        .prepare_cached(
            "SELECT count(*), min(next_attempt_at) FROM (SELECT next_attempt_at FROM messages \
             WHERE target_id = ?1 AND status = 0 AND next_attempt_at <= ?2 ORDER BY next_attempt_at LIMIT ?3)",
        )?
        .query_row(params![lane.target, now.as_micros(), size], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(oldest) = oldest else { return Ok(None) };
    let flush_at = Timestamp::from_micros(oldest).plus(flush);
    Ok((count < i64::from(size) && flush_at > now).then_some(flush_at))
}

fn next_due(connection: &Connection, target: &str, now: i64) -> rusqlite::Result<Option<Timestamp>> {
    connection
        .prepare_cached(
            "SELECT next_attempt_at FROM messages WHERE target_id = ?1 AND status = 0 AND next_attempt_at > ?2 \
             ORDER BY next_attempt_at LIMIT ?3",
        )?
        .query_row(params![target, now, whole(1)], |row| row.get(0))
        .optional()
        .map(|at| at.map(Timestamp::from_micros))
}

fn earliest(known: Option<Timestamp>, at: Timestamp) -> Option<Timestamp> {
    Some(known.map_or(at, |known| known.min(at)))
}

fn claimed(row: &Row<'_>, target: &str) -> rusqlite::Result<ClaimedMessage> {
    Ok(ClaimedMessage {
        seq: row.get(0)?,
        id: MessageId::from_bytes(row.get(1)?),
        subscription: row.get(2)?,
        target: target.to_owned(),
        attempts: row.get(3)?,
        attempts_before: row.get(4)?,
        primary_error: row.get(5)?,
        event: Arc::new(event(row, 6)?),
    })
}
