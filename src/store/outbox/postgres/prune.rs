//! Retention of the outbox: finished messages, dead letters, and events without messages. Any number of nodes may do this
//! at once: what another one has is left to it.

use std::time::Duration;

use super::columns::time;
use super::rate::micros;
use crate::domain::Timestamp;
use crate::store::numbers::{CANCELLED, DEAD, DELIVERED};
use crate::store::postgres::{NOW_US, Transaction, column, params};
use crate::store::upkeep::cutoff;
use crate::store::{Retention, StoreError};

/// The most messages that one step removes.
const STEP: i64 = 500;
/// Marks of requests count for at most two windows, and the longest window is a day.
const MARKS_KEPT: Duration = Duration::from_secs(3 * 86_400);

/// One step of the rules by age; returns how many rows it removed.
///
/// # Errors
/// `Unavailable` if the store cannot be written.
pub async fn prune_outbox(
    to: &Transaction,
    retention: &Retention,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut removed = to
        .run(
            r"
            DELETE FROM dead_letters
            WHERE message_seq = ANY (ARRAY(
                SELECT message_seq
                FROM (
                    SELECT message_seq, failed_at
                    FROM dead_letters
                    ORDER BY message_seq
                    LIMIT $2
                    FOR UPDATE SKIP LOCKED
                ) AS oldest
                WHERE failed_at < $1
            ))
            ",
            &params![cutoff(now, retention.keep_dead_letters), STEP],
        )
        .await?;
    let old = cutoff(now, retention.keep_messages);
    for status in [DELIVERED, DEAD, CANCELLED] {
        removed = removed.saturating_add(remove_finished(to, status, old).await?);
    }
    let events = to
        .run(
            r"
            DELETE FROM events
            WHERE messages = 0
              AND seq = ANY (ARRAY(
                  SELECT seq
                  FROM events
                  WHERE messages = 0
                    AND received_at < $1
                  ORDER BY received_at
                  LIMIT $2
                  FOR UPDATE SKIP LOCKED
              ))
            ",
            &params![cutoff(now, retention.keep_event_ids), STEP],
        )
        .await?;
    // Most marks are removed by the next claim of their lane; these lanes have no rate any more. By the clock that wrote
    // them: a node whose clock is ahead would forget requests that count.
    to.run(
        &format!("DELETE FROM rate_marks WHERE arrives_by < (SELECT {NOW_US} - $1)"),
        &params![micros(MARKS_KEPT)],
    )
    .await?;
    Ok(removed.saturating_add(events))
}

/// Above `max_size`: removes the oldest delivered messages, whatever their age.
///
/// # Errors
/// `Unavailable` if the store cannot be written.
pub async fn retire(to: &Transaction) -> Result<u64, StoreError> {
    remove_finished(to, DELIVERED, i64::MAX).await
}

/// Removes the oldest messages with a status that finished before `old`, except dead letters.
async fn remove_finished(to: &Transaction, status: i64, old: i64) -> Result<u64, StoreError> {
    let oldest = to
        .rows(
            r"
            SELECT
                m.seq, m.event_seq, m.finished_at,
                EXISTS (SELECT 1 FROM dead_letters d WHERE d.message_seq = m.seq) AS is_letter
            FROM messages m
            WHERE m.status = $1
            ORDER BY m.seq
            LIMIT $2
            FOR UPDATE OF m SKIP LOCKED
            ",
            &params![status, STEP],
        )
        .await?;
    let (mut seqs, mut events): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
    for row in &oldest {
        if time(row, "finished_at")?.as_micros() < old && !column::<bool>(row, "is_letter")? {
            seqs.push(column(row, "seq")?);
            events.push(column(row, "event_seq")?);
        }
    }
    if seqs.is_empty() {
        return Ok(0);
    }
    to.run("DELETE FROM attempts WHERE message_seq = ANY ($1)", &params![seqs]).await?;
    let removed = to.run("DELETE FROM messages WHERE seq = ANY ($1)", &params![seqs]).await?;
    to.rows("SELECT 1 FROM events WHERE seq = ANY ($1) ORDER BY seq FOR UPDATE", &params![events]).await?;
    to.run(
        r"
        UPDATE events
        SET messages = events.messages - gone.messages
        FROM (SELECT seq, count(*) AS messages FROM unnest($1) AS event (seq) GROUP BY seq) AS gone
        WHERE events.seq = gone.seq
        ",
        &params![events],
    )
    .await?;
    to.run("DELETE FROM events WHERE seq = ANY ($1) AND messages = 0 AND posted IS NULL", &params![events])
        .await?;
    Ok(removed)
}
