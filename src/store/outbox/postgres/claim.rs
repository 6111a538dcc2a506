//! Claims due messages, with a lease.
//!
//! A lease is by the server's clock, which all nodes share. The caller says when its lease ends by the node's clock; only
//! how long that is from now is taken over. So a node whose clock is wrong, or that was frozen, leases no longer and no
//! shorter than others. (In tests the node's clock is moved by hand; by as much is added to the server's.)

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::columns::{EVENT_COLUMNS, SERVER_NOW, event};
use super::rate::{self, Permits};
use super::{ordered, schedule, settle};
use crate::domain::{ClaimedMessage, MessageId, Now, OutgoingEvent, Timestamp};
use crate::store::postgres::{Postgres, Transaction, column, params, small, whole};
use crate::store::{Due, Lane, LaneBatch, LaneClaim, Sending, Settlement, StoreError};

/// The most bytes of bodies that a lane gets in one claim, except for the last body.
const LANE_BYTES: usize = 16 * 1024 * 1024;
/// The most messages in one claim, except for a last batch.
const MOST_CLAIMED: usize = 512;
/// The most bytes of bodies in one claim, except for the last lane.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Due messages with their places, locked. What another transaction has is left to it.
const DUE: &str = "
    SELECT seq, row_number() OVER (ORDER BY next_attempt_at, seq) AS place
    FROM (SELECT seq, next_attempt_at FROM messages
          WHERE target_id = $5 AND status = 0 AND next_attempt_at <= $2
          ORDER BY next_attempt_at, seq LIMIT $6 FOR UPDATE SKIP LOCKED) AS due";
/// Chosen messages with their places; they are locked already.
const CHOSEN: &str = "SELECT seq, place FROM unnest($5) WITH ORDINALITY AS chosen (seq, place)";

#[async_trait]
impl Sending for Postgres {
    async fn recover_messages(&self, now: Now, spread: Duration) -> Result<usize, StoreError> {
        let (node, advanced) = (self.node.as_str(), self.clock.advanced_us());
        self.change(|to| async move { recover(&to, (node, advanced), now, spread).await }).await
    }

    async fn keep_wall_ahead(&self, micros: i64) -> Result<(), StoreError> {
        schedule::keep_wall_ahead(&self.connection().await?, &self.node, micros).await
    }

    async fn claim_due(&self, claim: LaneClaim) -> Result<Due, StoreError> {
        let (node, advanced, claim) = (self.node.as_str(), self.clock.advanced_us(), &claim);
        self.change(|to| async move { self::claim(&to, (node, advanced), claim).await }).await
    }

    async fn rate_marks(
        &self,
        target: String,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, u32)>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                "SELECT at, count(*) AS requests FROM rate_marks WHERE target_id = $1 AND at >= $2
                 GROUP BY at ORDER BY at",
                &params![target, since.as_micros()],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let requests = small(column(row, "requests")?, "requests")?;
                Ok((Timestamp::from_micros(column(row, "at")?), requests))
            })
            .collect()
    }

    async fn settle(&self, settlements: Arc<Vec<Settlement>>) -> Result<(), StoreError> {
        let (advanced, settlements) = (self.clock.advanced_us(), settlements.as_slice());
        self.change(|to| async move { settle::settle(&to, settlements, advanced).await }).await
    }
}

/// Releases the messages that this node had claimed when it ended, and those whose lease has expired: what another node
/// is sending stays its own. Overdue retries are spread over `spread`.
async fn recover(
    to: &Transaction,
    (node, advanced): (&str, i64),
    now: Now,
    spread: Duration,
) -> Result<usize, StoreError> {
    schedule::take_up(to, node, now).await?;
    let freed = to
        .run(
            &format!(
                "UPDATE messages SET status = 0, lease_until = NULL, next_attempt_at = $1
                 WHERE status = 1 AND seq = ANY (ARRAY(
                     SELECT seq FROM messages
                     WHERE status = 1 AND (claimed_by = $2 OR lease_until < {SERVER_NOW} + $3)
                     ORDER BY seq FOR UPDATE))"
            ),
            &params![now.due.as_micros(), node, advanced],
        )
        .await?;
    schedule::spread_overdue(to, now.due, spread).await?;
    Ok(usize::try_from(freed).unwrap_or(usize::MAX))
}

/// Claims what is due. Expired leases are released first. Lanes that are not reached are not reported.
async fn claim(
    to: &Transaction,
    (node, advanced): (&str, i64),
    claim: &LaneClaim,
) -> Result<Due, StoreError> {
    let (due, events) = (Due::default(), HashMap::new());
    let mut claimed = Claimed { to, node, advanced, now: claim.now, due, events, bytes: 0 };
    // Before any row is locked: nobody who waits for a lane has something that others wait for.
    rate::lock_lanes(to, &claim.lanes).await?;
    claimed.due.has_freed = free_expired(to, claim, advanced).await?;
    for lane in &claim.lanes {
        if claimed.due.messages.len() >= MOST_CLAIMED || claimed.bytes >= MOST_BYTES {
            break;
        }
        let rests_until = claimed.take(lane).await?;
        claimed.due.rests.extend(rests_until.map(|until| (lane.target.clone(), until)));
    }
    Ok(claimed.due)
}

/// Their claims keep their numbers: as long as nobody has claimed a message again, its outcome is still welcome.
async fn free_expired(to: &Transaction, claim: &LaneClaim, advanced: i64) -> Result<bool, StoreError> {
    let stood_still = claim.now.as_micros().saturating_sub(claim.leases_ended.as_micros());
    let freed = to
        .run(
            &format!(
                "UPDATE messages SET status = 0, lease_until = NULL, next_attempt_at = $1
                 WHERE status = 1 AND seq = ANY (ARRAY(
                     SELECT seq FROM messages
                     WHERE status = 1 AND lease_until < (SELECT {SERVER_NOW} + $2)
                     ORDER BY seq FOR UPDATE SKIP LOCKED))"
            ),
            &params![claim.now.as_micros(), advanced.saturating_sub(stood_still)],
        )
        .await?;
    Ok(freed > 0)
}

/// What a claim has collected so far.
struct Claimed<'c> {
    to: &'c Transaction,
    node: &'c str,
    advanced: i64,
    now: Timestamp,
    due: Due,
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

impl Claimed<'_> {
    /// Claims in one lane. Returns the time before which nothing else is due in it; `None` if that is unknown.
    async fn take(&mut self, lane: &Lane) -> Result<Option<Timestamp>, StoreError> {
        if let Some(batch) = lane.batch
            && let Some(ready_at) = self.batch_ready_at(lane, batch).await?
        {
            return Ok(Some(ready_at));
        }
        let room = match lane.batch {
            // A batch is not split.
            Some(_) => MOST_CLAIMED,
            None => MOST_CLAIMED.saturating_sub(self.due.messages.len()),
        };
        let mut limit = usize::try_from(lane.limit).unwrap_or(usize::MAX).min(room);
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

    /// Due messages, and whether there may be more.
    async fn due(&self, lane: &Lane, limit: usize) -> Result<(Vec<Taken>, bool), StoreError> {
        let (most, limited) = (most_bytes(lane), whole(limit));
        let lease = self.lease(lane);
        let rows = self
            .to
            .rows(
                &take(DUE),
                &params![self.node, self.now.as_micros(), lease, whole(most), lane.target, limited],
            )
            .await?;
        let taken = taken(&rows)?;
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
        let lease = self.lease(lane);
        let rows = self
            .to
            .rows(
                &take(CHOSEN),
                &params![self.node, self.now.as_micros(), lease, whole(most_bytes(lane)), seqs],
            )
            .await?;
        let taken = taken(&rows)?;
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
                "SELECT count(*) AS messages, min(next_attempt_at) AS oldest,
                     coalesce(sum(bytes), 0)::bigint AS bytes
                 FROM (SELECT m.next_attempt_at, octet_length(e.body) AS bytes
                       FROM messages m JOIN events e ON e.seq = m.event_seq
                       WHERE m.target_id = $1 AND m.status = 0 AND m.next_attempt_at <= $2
                       ORDER BY m.next_attempt_at LIMIT $3) AS due",
                &params![lane.target, self.now.as_micros(), i64::from(batch.size)],
            )
            .await?;
        let Some(oldest) = column::<Option<i64>>(&row, "oldest")? else { return Ok(None) };
        let flush_at = Timestamp::from_micros(oldest).plus(batch.flush);
        let is_full = column::<i64>(&row, "messages")? >= i64::from(batch.size)
            || column::<i64>(&row, "bytes")? >= whole(batch.bytes);
        Ok((!is_full && flush_at > self.now).then_some(flush_at))
    }

    /// The time before which nothing is due in a lane whose due messages were all claimed.
    async fn next_due(&self, target: &str) -> Result<Timestamp, StoreError> {
        let next = self
            .to
            .maybe(
                "SELECT next_attempt_at FROM messages WHERE target_id = $1 AND status = 0 AND next_attempt_at > $2
                 ORDER BY next_attempt_at LIMIT 1",
                &params![target, self.now.as_micros()],
            )
            .await?;
        next.map_or(Ok(Timestamp::MAX), |row| column(&row, "next_attempt_at").map(Timestamp::from_micros))
    }
}

/// SQL that claims the messages which `picked` gives with their places, up to a weight of bodies.
fn take(picked: &str) -> String {
    format!(
        "WITH picked AS MATERIALIZED ({picked}),
         weighed AS (
             SELECT picked.seq, picked.place, octet_length(e.body) AS weight,
                 sum(octet_length(e.body)) OVER (ORDER BY picked.place) - octet_length(e.body) AS weight_before
             FROM picked JOIN messages m ON m.seq = picked.seq JOIN events e ON e.seq = m.event_seq)
         UPDATE messages m SET status = 1, claim = m.claim + 1, claimed_by = $1, claimed_at = $2,
             lease_until = {SERVER_NOW} + $3
         FROM weighed WHERE m.seq = weighed.seq AND weighed.weight_before < $4
         RETURNING weighed.place, weighed.weight::bigint AS weight, m.event_seq, m.seq, m.id, m.subscription_id,
             m.attempts, m.attempts_before, m.primary_error, m.claim"
    )
}

/// The rows of a claim; the server returns them in any order.
fn taken(rows: &[tokio_postgres::Row]) -> Result<Vec<Taken>, StoreError> {
    rows.iter()
        .map(|row| {
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
        })
        .collect()
}

/// The most bytes of bodies that a lane gets in one claim, except for the last body.
fn most_bytes(lane: &Lane) -> usize {
    lane.batch.map_or(LANE_BYTES, |batch| batch.bytes.min(LANE_BYTES))
}
