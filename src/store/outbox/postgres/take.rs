//! Takes due messages of one lane after the other, within one claim.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Row;

use super::columns::event;
use super::ordered;
use super::rate::{self, Permits};
use crate::domain::{ClaimedMessage, MessageId, OutgoingEvent, Timestamp};
use crate::store::numbers::{PENDING, SENDING};
use crate::store::outbox::columns::EVENT_COLUMNS;
use crate::store::outbox::limits;
use crate::store::postgres::{NOW_US, Transaction, column, params, small, whole};
use crate::store::{Due, Lane, LaneBatch, StoreError};

/// A lane is asked again after this time if another transaction had some of its due messages.
const ASKED_AGAIN: Duration = Duration::from_millis(100);

/// What a claim has collected so far.
pub struct Claimed<'c> {
    to: &'c Transaction,
    node: &'c str,
    advanced: i64,
    now: Timestamp,
    /// What it returns.
    pub due: Due,
    /// An event sent to many subscriptions is read once.
    events: HashMap<i64, Arc<OutgoingEvent>>,
    /// The size of those events.
    bytes: usize,
}

/// A row of a claim; its event is read afterwards.
struct Taken {
    place: i64,
    weight: usize,
    event_seq: i64,
    seq: i64,
    id: MessageId,
    subscription: String,
    attempts: u32,
    attempts_before: u32,
    primary_error: Option<String>,
    claim: i64,
}

impl<'c> Claimed<'c> {
    /// Nothing yet, for `node`, whose clock was moved by `advanced`.
    pub fn new(to: &'c Transaction, (node, advanced): (&'c str, i64), now: Timestamp) -> Self {
        Self { to, node, advanced, now, due: Due::default(), events: HashMap::new(), bytes: 0 }
    }

    /// Whether no other lane is asked.
    pub fn is_enough(&self) -> bool {
        limits::is_enough(self.due.messages.len(), self.bytes)
    }

    /// Claims in one lane.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be written.
    pub async fn take(&mut self, lane: &Lane) -> Result<(), StoreError> {
        let rests_until = self.take_until(lane).await?;
        self.due.rests.extend(rests_until.map(|until| (lane.target.clone(), until)));
        Ok(())
    }

    /// Returns the time before which nothing else is due in the lane; `None` if that is unknown.
    async fn take_until(&mut self, lane: &Lane) -> Result<Option<Timestamp>, StoreError> {
        if let Some(batch) = lane.batch
            && let Some(ready_at) = self.batch_ready_at(lane, batch).await?
        {
            return Ok(Some(ready_at));
        }
        let mut limit = limits::room(lane, self.due.messages.len());
        if let Some(rate) = lane.rate {
            match rate::permits(self.to, &lane.target, rate, (self.now, self.advanced)).await? {
                Permits::NoneBefore(until) => return Ok(Some(until)),
                Permits::Free(requests) if lane.batch.is_none() => {
                    limit = limit.min(usize::try_from(requests).unwrap_or(usize::MAX));
                }
                Permits::Free(_) => {}
            }
        }
        let (mut taken, is_more) =
            if lane.ordered { self.heads(lane, limit).await? } else { self.due(lane, limit).await? };
        // A batch keeps the order in which its events arrived, whenever each is due.
        taken.sort_by_key(|taken| if lane.batch.is_some() { taken.seq } else { taken.place });
        let found = self.with_events(taken, &lane.target).await?;
        rate::mark(self.to, lane, &found, (self.now, self.advanced)).await?;
        self.due.messages.extend(found);
        if is_more { Ok(None) } else { self.next_due(&lane.target).await.map(Some) }
    }

    /// Due messages, and whether there may be more. What another transaction has is left to it.
    async fn due(&self, lane: &Lane, limit: usize) -> Result<(Vec<Taken>, bool), StoreError> {
        let most = limits::most_bytes(lane);
        let picked = format!(
            r"
            SELECT seq, row_number() OVER (ORDER BY next_attempt_at, seq) AS place
            FROM (
                SELECT seq, next_attempt_at
                FROM messages
                WHERE target_id = $5
                  AND status = {PENDING}
                  AND next_attempt_at <= $2
                ORDER BY next_attempt_at, seq
                LIMIT $6
                FOR UPDATE SKIP LOCKED
            ) AS due
            "
        );
        let (now, lease) = (self.now.as_micros(), self.lease(lane));
        let rows = self
            .to
            .rows(&take(&picked), &params![self.node, now, lease, whole(most), lane.target, whole(limit)])
            .await?;
        let taken = rows.iter().map(taken).collect::<Result<Vec<_>, _>>()?;
        let bytes = taken.iter().map(|taken| taken.weight).fold(0, usize::saturating_add);
        let is_more = taken.len() >= limit || bytes >= most;
        Ok((taken, is_more))
    }

    /// Like `due`, for ordered lanes.
    async fn heads(&self, lane: &Lane, limit: usize) -> Result<(Vec<Taken>, bool), StoreError> {
        let ordered::Heads { seqs, is_more } = ordered::heads(self.to, &lane.target, self.now, limit).await?;
        if seqs.is_empty() {
            return Ok((Vec::new(), is_more));
        }
        let picked = "SELECT seq, place FROM unnest($5) WITH ORDINALITY AS chosen (seq, place)";
        let (now, lease) = (self.now.as_micros(), self.lease(lane));
        let rows = self
            .to
            .rows(&take(picked), &params![self.node, now, lease, whole(limits::most_bytes(lane)), seqs])
            .await?;
        let taken = rows.iter().map(taken).collect::<Result<Vec<_>, _>>()?;
        let is_more = is_more || taken.len() < seqs.len();
        Ok((taken, is_more))
    }

    /// How long the lease lasts, in microseconds from the server's time.
    fn lease(&self, lane: &Lane) -> i64 {
        let lasts = lane.lease_until.as_micros().saturating_sub(self.now.as_micros());
        lasts.saturating_add(self.advanced)
    }

    /// The claimed messages with their events.
    async fn with_events(
        &mut self,
        taken: Vec<Taken>,
        target: &str,
    ) -> Result<Vec<ClaimedMessage>, StoreError> {
        let mut unread: Vec<i64> = taken.iter().map(|taken| taken.event_seq).collect();
        unread.retain(|seq| !self.events.contains_key(seq));
        if !unread.is_empty() {
            let sql = format!("SELECT e.seq, {EVENT_COLUMNS} FROM events e WHERE e.seq = ANY ($1)");
            for row in &self.to.rows(&sql, &params![unread]).await? {
                let event = Arc::new(event(row)?);
                self.bytes = self.bytes.saturating_add(event.body.len());
                self.events.insert(column(row, "seq")?, event);
            }
        }
        let mut found = Vec::new();
        for taken in taken {
            let event = self.events.get(&taken.event_seq).map(Arc::clone);
            found.push(ClaimedMessage {
                seq: taken.seq,
                id: taken.id,
                subscription: taken.subscription,
                target: target.to_owned(),
                attempts: taken.attempts,
                attempts_before: taken.attempts_before,
                primary_error: taken.primary_error,
                claim: taken.claim,
                event: event
                    .ok_or_else(|| StoreError::Unavailable("a message without an event".to_owned()))?,
            });
        }
        Ok(found)
    }

    /// With batches: when the lane may be claimed; `None` means now.
    async fn batch_ready_at(&self, lane: &Lane, batch: LaneBatch) -> Result<Option<Timestamp>, StoreError> {
        let row = self
            .to
            .one(
                &format!(
                    r"
                    SELECT
                        count(*) AS messages,
                        min(next_attempt_at) AS oldest,
                        coalesce(sum(bytes), 0)::bigint AS bytes
                    FROM (
                        SELECT m.next_attempt_at, octet_length(e.body) AS bytes
                        FROM messages m
                        JOIN events e ON e.seq = m.event_seq
                        WHERE m.target_id = $1
                          AND m.status = {PENDING}
                          AND m.next_attempt_at <= $2
                        ORDER BY m.next_attempt_at
                        LIMIT $3
                    ) AS due
                    "
                ),
                &params![lane.target, self.now.as_micros(), i64::from(batch.size)],
            )
            .await?;
        let due = (column(&row, "messages")?, column(&row, "bytes")?, column(&row, "oldest")?);
        Ok(limits::batch_ready_at(batch, due, self.now))
    }

    /// The time before which nothing is due in a lane whose due messages were all claimed, here or by another node.
    async fn next_due(&self, target: &str) -> Result<Timestamp, StoreError> {
        let next = self
            .to
            .maybe(
                &format!(
                    r"
                    SELECT next_attempt_at
                    FROM messages
                    WHERE target_id = $1
                      AND status = {PENDING}
                    ORDER BY next_attempt_at
                    LIMIT 1
                    "
                ),
                &params![target],
            )
            .await?;
        let Some(next) = next else { return Ok(Timestamp::MAX) };
        let next = Timestamp::from_micros(column(&next, "next_attempt_at")?);
        // What is due was locked by another transaction. It may come back from there.
        Ok(if next > self.now { next } else { self.now.plus(ASKED_AGAIN) })
    }
}

/// SQL that claims the messages which `picked` gives with their places, up to a weight of bodies. They are locked
/// already.
fn take(picked: &str) -> String {
    format!(
        r"
        WITH picked AS MATERIALIZED ({picked}),
        weighed AS (
            SELECT
                picked.seq, picked.place, octet_length(e.body) AS weight,
                sum(octet_length(e.body)) OVER (ORDER BY picked.place) - octet_length(e.body) AS weight_before
            FROM picked
            JOIN messages m ON m.seq = picked.seq
            JOIN events e ON e.seq = m.event_seq
        )
        UPDATE messages m
        SET status = {SENDING},
            claim = m.claim + 1,
            claimed_by = $1,
            claimed_at = $2,
            lease_until = {NOW_US} + $3
        FROM weighed
        WHERE m.seq = weighed.seq
          AND weighed.weight_before < $4
        RETURNING
            weighed.place, weighed.weight::bigint AS weight, m.event_seq, m.seq, m.id, m.subscription_id,
            m.attempts, m.attempts_before, m.primary_error, m.claim
        "
    )
}

/// A row of a claim. The server returns them in any order.
fn taken(row: &Row) -> Result<Taken, StoreError> {
    Ok(Taken {
        place: column(row, "place")?,
        weight: small(column(row, "weight")?, "weight")?,
        event_seq: column(row, "event_seq")?,
        seq: column(row, "seq")?,
        id: MessageId::from_bytes(column(row, "id")?),
        subscription: column(row, "subscription_id")?,
        attempts: small(column(row, "attempts")?, "attempts")?,
        attempts_before: small(column(row, "attempts_before")?, "attempts_before")?,
        primary_error: column(row, "primary_error")?,
        claim: column(row, "claim")?,
    })
}
