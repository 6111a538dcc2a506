//! Claims due messages, with a lease.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::columns::event;
use super::{ordered, schedule, settle};
use crate::domain::{ClaimedMessage, MessageId, Now, OutgoingEvent, Timestamp};
use crate::store::numbers::{PENDING, SENDING};
use crate::store::outbox::columns::EVENT_COLUMNS;
use crate::store::outbox::limits;
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{Due, Lane, LaneBatch, LaneClaim, LaneRate, Sending, Settlement, StoreError};

/// The columns of a claimed message, without those of its event.
const COLUMNS: &str = r"
    m.seq, m.id, m.subscription_id,
    m.attempts, m.attempts_before, m.primary_error, m.event_seq";

/// A request may still be in flight, and count, this long after its claim. Marks are kept for longer than that.
const MARKS_BEYOND: Duration = Duration::from_secs(20);

#[async_trait]
impl Sending for Sqlite {
    async fn recover_messages(&self, now: Now, spread: Duration) -> Result<usize, StoreError> {
        self.change(move |to| recover(to, now, spread)).await
    }

    async fn keep_wall_ahead(&self, micros: i64) -> Result<(), StoreError> {
        self.change(move |to| schedule::keep_wall_ahead(to, micros)).await
    }

    async fn claim_due(&self, claim: LaneClaim) -> Result<Due, StoreError> {
        self.change(move |to| self::claim(to, &claim)).await
    }

    async fn rate_marks(
        &self,
        target: String,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, u32)>, StoreError> {
        self.read(move |from| marks(from, &target, since)).await
    }

    async fn settle(&self, settlements: std::sync::Arc<Vec<Settlement>>) -> Result<(), StoreError> {
        self.change(move |to| settle::settle(to, &settlements)).await
    }
}

/// Releases the messages claimed when the program ended; no other process works on this file. Overdue retries are
/// spread over `spread`, so that an endpoint does not get the whole backlog at once. Messages of one batch stay
/// together.
pub fn recover(connection: &Connection, now: Now, spread: Duration) -> rusqlite::Result<usize> {
    schedule::take_up(connection, now)?;
    let now = now.due;
    let freed = connection.execute(
        &format!(
            r"
            UPDATE messages
            SET status = {PENDING},
                lease_until = NULL,
                next_attempt_at = ?1
            WHERE status = {SENDING}
            "
        ),
        [now.as_micros()],
    )?;
    let spread = i64::try_from(spread.as_micros()).unwrap_or(i64::MAX).max(1);
    connection.execute(
        &format!(
            r"
            UPDATE messages
            SET next_attempt_at = ?1 + CAST(?2 * overdue.place AS INTEGER)
            FROM (
                SELECT seq, percent_rank() OVER (PARTITION BY target_id ORDER BY next_attempt_at) AS place
                FROM messages
                WHERE status = {PENDING}
                  AND attempts > attempts_before
                  AND next_attempt_at < ?1
            ) AS overdue
            WHERE messages.seq = overdue.seq
            "
        ),
        params![now.as_micros(), spread],
    )?;
    Ok(freed)
}

/// The requests through `target` that may count in a window starting at `since`: claim times and numbers.
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

/// Records the requests of a lane with a rate before they are made, so that the rate survives a crash.
fn mark(connection: &Connection, lane: &Lane, messages: usize, now: Timestamp) -> rusqlite::Result<()> {
    let Some(LaneRate { window, .. }) = lane.rate else { return Ok(()) };
    if messages == 0 {
        return Ok(());
    }
    let requests = if lane.batch.is_some() { 1 } else { whole(messages) };
    connection
        .prepare_cached(
            r"
            INSERT INTO rate_marks (target_id, at, requests)
            VALUES (?1, ?2, ?3)
            ON CONFLICT (target_id, at) DO UPDATE SET requests = requests + ?3
            ",
        )?
        .execute(params![lane.target, now.as_micros(), requests])?;
    connection
        .prepare_cached("DELETE FROM rate_marks WHERE target_id = ?1 AND at < ?2")?
        .execute(params![lane.target, now.minus(window.saturating_mul(2)).minus(MARKS_BEYOND).as_micros()])?;
    Ok(())
}

/// Claims what is due. Expired leases are released first. Lanes that are not reached are not reported.
pub fn claim(connection: &Connection, claim: &LaneClaim) -> rusqlite::Result<Due> {
    let mut claimed = Claimed { due: Due::default(), events: HashMap::new(), bytes: 0 };
    claimed.due.has_freed = free_expired(connection, claim)?;
    for lane in &claim.lanes {
        if limits::is_enough(claimed.due.messages.len(), claimed.bytes) {
            break;
        }
        let rests_until = claimed.take(connection, lane, claim.now)?;
        claimed.due.rests.extend(rests_until.map(|until| (lane.target.clone(), until)));
    }
    Ok(claimed.due)
}

/// Checks with a SELECT first: leases rarely expire, and the UPDATE builds a temporary table before it finds that out.
fn free_expired(connection: &Connection, claim: &LaneClaim) -> rusqlite::Result<bool> {
    let (now, ended) = (claim.now.as_micros(), claim.leases_ended.as_micros());
    let has_expired = connection
        .prepare_cached(&format!("SELECT 1 FROM messages WHERE status = {SENDING} AND lease_until < ?1"))?
        .exists([ended])?;
    if has_expired {
        connection
            .prepare_cached(&format!(
                r"
                UPDATE messages
                SET status = {PENDING},
                    lease_until = NULL,
                    next_attempt_at = ?1
                WHERE status = {SENDING}
                  AND lease_until < ?2
                "
            ))?
            .execute([now, ended])?;
    }
    Ok(has_expired)
}

/// What a claim has collected so far.
struct Claimed {
    due: Due,
    /// An event sent to many subscriptions is read once.
    events: HashMap<i64, Arc<OutgoingEvent>>,
    /// The size of those events.
    bytes: usize,
}

impl Claimed {
    /// Claims in one lane. Returns the time before which nothing else is due in it; `None` if that is unknown.
    fn take(
        &mut self,
        connection: &Connection,
        lane: &Lane,
        now: Timestamp,
    ) -> rusqlite::Result<Option<Timestamp>> {
        if let Some(batch) = lane.batch
            && let Some(ready_at) = batch_ready_at(connection, lane, now, batch)?
        {
            return Ok(Some(ready_at));
        }
        let limit = limits::room(lane, self.due.messages.len());
        let (mut found, is_more) = if lane.ordered {
            self.heads(connection, lane, now, limit)?
        } else {
            self.due(connection, lane, now, limit)?
        };
        if lane.batch.is_some() {
            // A batch keeps the order in which its events arrived, whenever each is due.
            found.sort_by_key(|message| message.seq);
        }
        let mut take = connection.prepare_cached(&format!(
            r"
            UPDATE messages
            SET status = {SENDING},
                lease_until = ?2,
                claimed_at = ?3
            WHERE seq = ?1
            "
        ))?;
        for message in &found {
            take.execute(params![message.seq, lane.lease_until.as_micros(), now.as_micros()])?;
        }
        mark(connection, lane, found.len(), now)?;
        self.due.messages.extend(found);
        if is_more { Ok(None) } else { next_due(connection, &lane.target, now).map(Some) }
    }

    /// Due messages, oldest first, and whether there may be more.
    fn due(
        &mut self,
        connection: &Connection,
        lane: &Lane,
        now: Timestamp,
        limit: usize,
    ) -> rusqlite::Result<(Vec<ClaimedMessage>, bool)> {
        let mut statement = connection.prepare_cached(&format!(
            r"
            SELECT {COLUMNS}, {EVENT_COLUMNS}
            FROM messages m
            JOIN events e ON e.seq = m.event_seq
            WHERE m.target_id = ?1
              AND m.status = {PENDING}
              AND m.next_attempt_at <= ?2
            ORDER BY m.next_attempt_at, m.seq
            "
        ))?;
        let mut rows = statement.query(params![lane.target, now.as_micros()])?;
        let mut found = Vec::new();
        let mut bytes = 0_usize;
        while found.len() < limit && bytes < limits::most_bytes(lane) {
            let Some(row) = rows.next()? else { return Ok((found, false)) };
            let message = self.message(row, &lane.target)?;
            bytes = bytes.saturating_add(message.event.body.len());
            found.push(message);
        }
        Ok((found, true))
    }

    /// Like `due`, for ordered lanes.
    fn heads(
        &mut self,
        connection: &Connection,
        lane: &Lane,
        now: Timestamp,
        limit: usize,
    ) -> rusqlite::Result<(Vec<ClaimedMessage>, bool)> {
        let ordered::Heads { seqs, is_more } = ordered::heads(connection, &lane.target, now, limit)?;
        let mut statement = connection.prepare_cached(&format!(
            r"
            SELECT {COLUMNS}, {EVENT_COLUMNS}
            FROM messages m
            JOIN events e ON e.seq = m.event_seq
            WHERE m.seq = ?1
            "
        ))?;
        let mut found = Vec::new();
        let mut bytes = 0_usize;
        for seq in seqs {
            if bytes >= limits::most_bytes(lane) {
                return Ok((found, true));
            }
            let message = statement.query_row([seq], |row| self.message(row, &lane.target))?;
            bytes = bytes.saturating_add(message.event.body.len());
            found.push(message);
        }
        Ok((found, is_more))
    }

    fn message(&mut self, row: &Row<'_>, target: &str) -> rusqlite::Result<ClaimedMessage> {
        let event_seq: i64 = row.get("event_seq")?;
        let event = match self.events.get(&event_seq) {
            Some(event) => Arc::clone(event),
            None => {
                let event = Arc::new(event(row)?);
                self.bytes = self.bytes.saturating_add(event.body.len());
                self.events.insert(event_seq, Arc::clone(&event));
                event
            }
        };
        Ok(ClaimedMessage {
            seq: row.get("seq")?,
            id: MessageId::from_bytes(row.get("id")?),
            subscription: row.get("subscription_id")?,
            target: target.to_owned(),
            attempts: row.get("attempts")?,
            attempts_before: row.get("attempts_before")?,
            primary_error: row.get("primary_error")?,
            claim: 0,
            event,
        })
    }
}

/// With batches: when the lane may be claimed; `None` means now.
fn batch_ready_at(
    connection: &Connection,
    lane: &Lane,
    now: Timestamp,
    batch: LaneBatch,
) -> rusqlite::Result<Option<Timestamp>> {
    let due = connection
        .prepare_cached(&format!(
            r"
            SELECT count(*), coalesce(sum(bytes), 0), min(next_attempt_at)
            FROM (
                SELECT m.next_attempt_at, length(e.body) AS bytes
                FROM messages m
                JOIN events e ON e.seq = m.event_seq
                WHERE m.target_id = ?1
                  AND m.status = {PENDING}
                  AND m.next_attempt_at <= ?2
                ORDER BY m.next_attempt_at
                LIMIT ?3
            )
            "
        ))?
        .query_row(params![lane.target, now.as_micros(), batch.size], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    Ok(limits::batch_ready_at(batch, due, now))
}

/// The time before which nothing is due in a lane whose due messages were all claimed.
fn next_due(connection: &Connection, target: &str, now: Timestamp) -> rusqlite::Result<Timestamp> {
    let next: Option<i64> = connection
        .prepare_cached(&format!(
            r"
            SELECT next_attempt_at
            FROM messages
            WHERE target_id = ?1
              AND status = {PENDING}
              AND next_attempt_at > ?2
            ORDER BY next_attempt_at
            LIMIT ?3
            "
        ))?
        .query_row(params![target, now.as_micros(), whole(1)], |row| row.get(0))
        .optional()?;
    Ok(next.map_or(Timestamp::MAX, Timestamp::from_micros))
}
