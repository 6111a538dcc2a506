//! Rates: how many requests of a lane may start now, over all nodes.
//!
//! Each request is written before it is made, in its claim's transaction, and a lane with a rate is claimed by one node
//! at a time. When the request ends is written with its outcome. Until then it may reach the endpoint at any moment up to
//! `arrival` after its claim, and it counts for a window from that moment. All of it by the server's clock.
//!
//! A node that hangs between its claim and its request sends later than the others think. It cannot be prevented;
//! the throttle of that node makes up for its own requests only.

use std::time::Duration;

use super::columns::time;
use crate::domain::{ClaimedMessage, Timestamp};
use crate::store::postgres::{NOW_US, Transaction, column, params};
use crate::store::{Lane, LaneRate, Settlement, StoreError};

/// Marks are kept longer than they count here: nodes that start read them by their own clocks.
const MARKS_BEYOND: Duration = Duration::from_secs(20);
/// A lane without a permit is asked again after this time at the latest: requests of other nodes end early.
const ASKED_AGAIN: Duration = Duration::from_secs(1);
/// "lane" in bytes, so that the locks of lanes are no other locks.
const SEED: i64 = 0x6c61_6e65;

/// Locks lanes until the end of the transaction, in one order: those in which what another node claims at the same moment
/// matters, which are lanes in order, with batches or with a rate.
pub async fn lock_lanes(to: &Transaction, lanes: &[Lane]) -> Result<(), StoreError> {
    let alone = |lane: &&Lane| lane.ordered || lane.batch.is_some() || lane.rate.is_some();
    let targets: Vec<&str> = lanes.iter().filter(alone).map(|lane| lane.target.as_str()).collect();
    if !targets.is_empty() {
        to.rows(
            r"
            SELECT pg_advisory_xact_lock(key)
            FROM (
                SELECT DISTINCT hashtextextended(target, $2) AS key
                FROM unnest($1) AS lane (target)
                ORDER BY key
            ) AS keys
            ",
            &params![targets, SEED],
        )
        .await?;
    }
    Ok(())
}

/// What a rate allows.
pub enum Permits {
    /// This many requests.
    Free(u32),
    /// None before this time, by the clock of `now`.
    NoneBefore(Timestamp),
}

/// What the rate of a locked lane allows now. `advanced` is how far the node's clock was moved by hand.
pub async fn permits(
    to: &Transaction,
    target: &str,
    rate: LaneRate,
    (now, advanced): (Timestamp, i64),
) -> Result<Permits, StoreError> {
    let row = to
        .one(
            &format!(
                r"
                WITH server AS MATERIALIZED (SELECT {NOW_US} + $2 AS now)
                SELECT
                    (SELECT now FROM server) AS now,
                    count(*) AS requests,
                    min(arrives_by) AS first
                FROM rate_marks
                WHERE target_id = $1
                  AND arrives_by >= (SELECT now FROM server) - $3
                "
            ),
            &params![target, advanced, micros(rate.window)],
        )
        .await?;
    let counting: i64 = column(&row, "requests")?;
    let free = i64::from(rate.requests).saturating_sub(counting);
    if free > 0 {
        return Ok(Permits::Free(u32::try_from(free).unwrap_or(u32::MAX)));
    }
    let first = column::<Option<i64>>(&row, "first")?.map_or(Timestamp::MAX, Timestamp::from_micros);
    let wait = first.plus(rate.window).as_micros().saturating_sub(time(&row, "now")?.as_micros());
    let wait = Duration::from_micros(u64::try_from(wait).unwrap_or(0)).min(ASKED_AGAIN);
    Ok(Permits::NoneBefore(now.plus(wait).plus(Duration::from_millis(1))))
}

/// Records the requests of a lane with a rate before they are made, so that the rate survives a crash.
pub async fn mark(
    to: &Transaction,
    lane: &Lane,
    claimed: &[ClaimedMessage],
    (now, advanced): (Timestamp, i64),
) -> Result<(), StoreError> {
    let Some(rate) = lane.rate else { return Ok(()) };
    // A batch is one request; its first message stands for it.
    let requests = if lane.batch.is_some() { 1 } else { claimed.len() };
    let seqs: Vec<i64> = claimed.iter().take(requests).map(|message| message.seq).collect();
    let claims: Vec<i64> = claimed.iter().take(requests).map(|message| message.claim).collect();
    if seqs.is_empty() {
        return Ok(());
    }
    to.run(
        &format!(
            r"
            INSERT INTO rate_marks (message_seq, claim, target_id, at, arrives_by)
            SELECT seq, claim, $3, $4, {NOW_US} + $5
            FROM unnest($1, $2) AS request (seq, claim)
            "
        ),
        &params![seqs, claims, lane.target, now.as_micros(), advanced.saturating_add(micros(rate.arrival))],
    )
    .await?;
    let kept = micros(rate.window.saturating_mul(2).saturating_add(MARKS_BEYOND));
    to.run(
        &format!(
            r"
            DELETE FROM rate_marks
            WHERE (message_seq, claim) IN (
                SELECT message_seq, claim
                FROM rate_marks
                WHERE target_id = $1
                  AND arrives_by < (SELECT {NOW_US} + $2)
                FOR UPDATE SKIP LOCKED
            )
            "
        ),
        &params![lane.target, advanced.saturating_sub(kept)],
    )
    .await?;
    Ok(())
}

/// These requests are over: they arrived by now at the latest.
pub async fn arrived(to: &Transaction, settlements: &[Settlement], advanced: i64) -> Result<(), StoreError> {
    let seqs: Vec<i64> = settlements.iter().map(|settlement| settlement.seq).collect();
    let claims: Vec<i64> = settlements.iter().map(|settlement| settlement.claim).collect();
    to.run(
        &format!(
            r"
            UPDATE rate_marks
            SET arrives_by = least(arrives_by, {NOW_US} + $3)
            FROM unnest($1, $2) AS ended (seq, claim)
            WHERE rate_marks.message_seq = ended.seq
              AND rate_marks.claim = ended.claim
            "
        ),
        &params![seqs, claims, advanced],
    )
    .await?;
    Ok(())
}

/// A duration in microseconds.
pub fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
