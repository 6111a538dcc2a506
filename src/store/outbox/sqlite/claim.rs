//! Claims due messages, with a lease.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use super::claims::Claims;
use super::columns::event;
use super::{ordered, schedule, settle};
use crate::domain::{ClaimedMessage, MessageId, Now, Timestamp};
use crate::store::numbers::{PENDING, SENDING};
use crate::store::outbox::columns::EVENT_COLUMNS;
use crate::store::outbox::limits::{self, LOOKED_AT};
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{Due, Lane, LaneBatch, LaneClaim, LaneRate, Sending, Settlement, StoreError};

/// A request may still be in flight, and count, this long after its claim. Marks are kept for longer than that.
const MARKS_BEYOND: Duration = Duration::from_secs(20);

#[async_trait]
impl Sending for Sqlite {
    async fn recover_messages(&self, now: Now, spread: Duration) -> Result<usize, StoreError> {
        let claims = Arc::clone(&self.claims);
        self.change(move |to| recover(to, &claims, now, spread)).await
    }

    async fn keep_wall_ahead(&self, micros: i64) -> Result<(), StoreError> {
        self.change(move |to| schedule::keep_wall_ahead(to, micros)).await
    }

    async fn claim_due(&self, claim: LaneClaim) -> Result<Due, StoreError> {
        let claims = Arc::clone(&self.claims);
        let number = claims.begin();
        let due = self.change(move |to| Claiming::prepare(to, &claims, number)?.claim(&claim)).await;
        if due.is_err() {
            self.claims.end_number(number);
        }
        due
    }

    async fn rate_marks(
        &self,
        target: String,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, u32)>, StoreError> {
        self.read(move |from| marks(from, &target, since)).await
    }

    async fn settle(&self, settlements: Arc<Vec<Settlement>>) -> Result<(), StoreError> {
        let (claims, settled) = (Arc::clone(&self.claims), Arc::clone(&settlements));
        self.change(move |to| settle::settle(to, &claims, &settled)).await?;
        // Only what is on disk may be claimed again.
        self.claims.end(settlements.iter().map(|settlement| (settlement.seq, settlement.claim)));
        Ok(())
    }
}

/// Releases the messages that the last sender of this process had claimed, and those that are marked in the file: older
/// versions did that, and the file may have been moved from PostgreSQL. Overdue retries are spread over `spread`, so
/// that an endpoint does not get the whole backlog at once. Messages of one batch stay together.
fn recover(connection: &Connection, claims: &Claims, now: Now, spread: Duration) -> rusqlite::Result<usize> {
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
    Ok(freed.saturating_add(claims.end_all()))
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

/// A claim under way, with its statements.
struct Claiming<'c> {
    connection: &'c Connection,
    claims: &'c Claims,
    number: i64,
    message: CachedStatement<'c>,
    event: CachedStatement<'c>,
    due: Due,
    /// The size of the events that were read.
    bytes: usize,
}

impl<'c> Claiming<'c> {
    fn prepare(connection: &'c Connection, claims: &'c Claims, number: i64) -> rusqlite::Result<Self> {
        let message = connection.prepare_cached(
            r"
            SELECT id, subscription_id, attempts, attempts_before, primary_error, event_seq
            FROM messages
            WHERE seq = ?1
            ",
        )?;
        let event =
            connection.prepare_cached(&format!("SELECT {EVENT_COLUMNS} FROM events e WHERE e.seq = ?1"))?;
        Ok(Self { connection, claims, number, message, event, due: Due::default(), bytes: 0 })
    }

    /// Claims what is due. Expired leases are released first. Lanes that are not reached are not reported.
    fn claim(mut self, claim: &LaneClaim) -> rusqlite::Result<Due> {
        self.due.has_freed = self.claims.end_expired(claim.leases_ended);
        for lane in &claim.lanes {
            if limits::is_enough(self.due.messages.len(), self.bytes) {
                break;
            }
            let rests_until = self.take(lane, claim.now)?;
            self.due.rests.extend(rests_until.map(|until| (lane.target.clone(), until)));
        }
        Ok(self.due)
    }

    /// Claims in one lane. Returns the time before which nothing else is due in it; `None` if that is unknown.
    fn take(&mut self, lane: &Lane, now: Timestamp) -> rusqlite::Result<Option<Timestamp>> {
        let (connection, claims) = (self.connection, self.claims);
        if let Some(batch) = lane.batch
            && let Some(ready_at) = batch_ready_at(connection, claims, lane, now, batch)?
        {
            return Ok(Some(ready_at));
        }
        let limit = limits::room(lane, self.due.messages.len());
        let (seqs, is_more) = if lane.ordered {
            let due = due(connection, claims, &lane.target, now, LOOKED_AT)?;
            let ordered::Heads { seqs, is_more } =
                ordered::heads(connection, &lane.target, &due, now, limit)?;
            (seqs, is_more || due.len() == LOOKED_AT)
        } else {
            let due = due(connection, claims, &lane.target, now, limit)?;
            let is_more = due.len() == limit;
            (due, is_more)
        };
        let mut found = Vec::with_capacity(seqs.len());
        let mut bytes = 0_usize;
        for seq in &seqs {
            if bytes >= limits::most_bytes(lane) {
                break;
            }
            let message = self.message(*seq, &lane.target)?;
            bytes = bytes.saturating_add(message.event.body.len());
            found.push(message);
        }
        let is_more = is_more || found.len() < seqs.len();
        if lane.batch.is_some() {
            // A batch keeps the order in which its events arrived, whenever each is due.
            found.sort_by_key(|message| message.seq);
        }
        mark(connection, lane, found.len(), now)?;
        claims.add(&found, lane.lease_until, now);
        self.due.messages.extend(found);
        if is_more { Ok(None) } else { next_due(connection, &lane.target, now).map(Some) }
    }

    fn message(&mut self, seq: i64, target: &str) -> rusqlite::Result<ClaimedMessage> {
        let mut rows = self.message.query([seq])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let event_seq: i64 = row.get(5)?;
        let event = match self.claims.event(event_seq) {
            Some(event) => event,
            None => {
                let event = Arc::new(self.event.query_row([event_seq], event)?);
                self.bytes = self.bytes.saturating_add(event.body.len());
                self.claims.keep_event(event_seq, &event);
                event
            }
        };
        Ok(ClaimedMessage {
            seq,
            id: MessageId::from_bytes(row.get(0)?),
            subscription: row.get(1)?,
            target: target.to_owned(),
            attempts: row.get(2)?,
            attempts_before: row.get(3)?,
            primary_error: row.get(4)?,
            claim: self.number,
            event,
        })
    }
}

/// The due messages of a lane that are not claimed, oldest first, at most `limit`.
fn due(
    connection: &Connection,
    claims: &Claims,
    target: &str,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(&format!(
        r"
        SELECT seq
        FROM messages
        WHERE target_id = ?1
          AND status = {PENDING}
          AND next_attempt_at <= ?2
        ORDER BY next_attempt_at, seq
        "
    ))?;
    let mut rows = statement.query(params![target, now.as_micros()])?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let seq = row.get(0)?;
        if !claims.has(seq) {
            found.push(seq);
        }
    }
    Ok(found)
}

/// With batches: when the lane may be claimed; `None` means now.
fn batch_ready_at(
    connection: &Connection,
    claims: &Claims,
    lane: &Lane,
    now: Timestamp,
    batch: LaneBatch,
) -> rusqlite::Result<Option<Timestamp>> {
    let size = usize::try_from(batch.size).unwrap_or(usize::MAX);
    let due = due(connection, claims, &lane.target, now, size)?;
    let mut statement = connection.prepare_cached(
        r"
        SELECT m.next_attempt_at, length(e.body)
        FROM messages m
        JOIN events e ON e.seq = m.event_seq
        WHERE m.seq = ?1
        ",
    )?;
    let mut bytes = 0_i64;
    let mut oldest = None;
    for seq in &due {
        let (due_at, length): (i64, i64) =
            statement.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
        bytes = bytes.saturating_add(length);
        oldest = oldest.or(Some(due_at));
    }
    Ok(limits::batch_ready_at(batch, (whole(due.len()), bytes, oldest), now))
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
