//! What follows attempts, collected and written for many messages at once. Their rows are locked.

use std::collections::{HashMap, HashSet};

use super::ordered::{self, Place};
use crate::domain::{Now, Timestamp};
use crate::store::numbers::{CANCELLED, DEAD, DELIVERED, PENDING, SENDING};
use crate::store::outbox::limits::OUT_OF_FORCE;
use crate::store::postgres::{Transaction, column, params};
use crate::store::{Next, Settlement, StoreError};

/// What follows, for many messages.
#[derive(Default)]
pub struct Steps<'s> {
    /// Messages that end: position, status, attempts, when.
    ended: Vec<(i64, i64, i64, i64)>,
    /// Messages that are due again: position, when, attempts, attempts that do not count.
    again: Vec<(i64, i64, i64, i64)>,
    dead: Vec<&'s Settlement>,
    /// The places of messages in ordered lanes.
    places: HashMap<i64, Place>,
    /// The places that messages left for another lane.
    left: Vec<Place>,
    /// When the last of it was decided.
    at: Timestamp,
}

impl<'s> Steps<'s> {
    /// Adds the outcome of a message; `place` is given if its lane is ordered.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be written.
    pub async fn add(
        &mut self,
        to: &Transaction,
        settlement: &'s Settlement,
        place: Option<&Place>,
    ) -> Result<(), StoreError> {
        let made = i64::from(settlement.attempt.is_some());
        let Settlement { seq, at, .. } = *settlement;
        self.at = self.at.max(at.due);
        self.places.extend(place.map(|place| (seq, place.clone())));
        match &settlement.next {
            Next::Delivered => self.ended.push((seq, DELIVERED, made, at.wall.as_micros())),
            Next::Retry(when) => self.again.push((seq, when.as_micros(), made, 0)),
            Next::Smaller(when) => self.again.push((seq, when.as_micros(), made, made)),
            Next::Cancelled => self.without_subscription(to, seq, at).await?,
            Next::Dead { .. } => {
                self.ended.push((seq, DEAD, made, at.wall.as_micros()));
                self.dead.push(settlement);
            }
            Next::Fallback { target, primary_error, in_order } => {
                let fallback = (target.as_str(), primary_error.as_str(), in_order.as_deref());
                if to_fallback(to, seq, fallback, made, at).await? {
                    self.left.extend(place.cloned());
                } else {
                    // The fallback was removed, or one of the two subscriptions was parked in the meantime.
                    self.again.push((seq, at.due.as_micros(), made, 0));
                }
            }
        }
        Ok(())
    }

    /// Ends a message whose subscription was deleted. If the subscription is parked, the message returns to its state
    /// before the claim. Otherwise the subscription cannot be used at the moment, and the message waits.
    async fn without_subscription(&mut self, to: &Transaction, seq: i64, now: Now) -> Result<(), StoreError> {
        let is_parked = to
            .maybe(
                r"
                SELECT s.parked_since IS NOT NULL AS is_parked
                FROM messages m
                JOIN subscriptions s ON s.id = m.subscription_id
                WHERE m.seq = $1
                ",
                &params![seq],
            )
            .await?
            .map(|row| column(&row, "is_parked"))
            .transpose()?;
        match is_parked {
            None => self.ended.push((seq, CANCELLED, 0, now.wall.as_micros())),
            Some(false) => self.again.push((seq, now.due.plus(OUT_OF_FORCE).as_micros(), 0, 0)),
            Some(true) => {
                to.run(
                    &format!(
                        r"
                        UPDATE messages
                        SET status = {PENDING},
                            lease_until = NULL,
                            claim = claim + 1
                        WHERE seq = $1
                          AND status = {SENDING}
                        "
                    ),
                    &params![seq],
                )
                .await?;
            }
        }
        Ok(())
    }

    /// Writes it all.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be written.
    pub async fn write(self, to: &Transaction) -> Result<(), StoreError> {
        if !self.again.is_empty() {
            let (seqs, times, made, uncounted) = columns(&self.again);
            to.run(
                &format!(
                    r"
                    UPDATE messages
                    SET status = CASE status WHEN {SENDING} THEN {PENDING} ELSE status END,
                        lease_until = NULL,
                        claim = claim + 1,
                        next_attempt_at = step.due,
                        attempts = attempts + step.made,
                        attempts_before = attempts_before + step.uncounted
                    FROM unnest($1, $2, $3, $4) AS step (seq, due, made, uncounted)
                    WHERE messages.seq = step.seq
                    "
                ),
                &params![seqs, times, made, uncounted],
            )
            .await?;
        }
        let ended = self.end(to).await?;
        for letter in self.dead.iter().filter(|letter| ended.contains(&letter.seq)) {
            bury(to, letter).await?;
        }
        let mut left = self.left;
        left.extend(ended.iter().filter_map(|seq| self.places.get(seq).cloned()));
        ordered::wake_next(to, &left, self.at).await
    }

    /// Ends messages; returns which. The others were cancelled in the meantime and did not arrive: they stay cancelled.
    async fn end(&self, to: &Transaction) -> Result<HashSet<i64>, StoreError> {
        if self.ended.is_empty() {
            return Ok(HashSet::new());
        }
        let (seqs, statuses, made, times) = columns(&self.ended);
        let rows = to
            .rows(
                &format!(
                    r"
                    UPDATE messages
                    SET status = CASE WHEN step.ends THEN step.status ELSE messages.status END,
                        lease_until = NULL,
                        claim = claim + 1,
                        attempts = attempts + step.made,
                        finished_at = CASE WHEN step.ends THEN step.at ELSE finished_at END
                    FROM (
                        SELECT ended.*, m.status = {SENDING} OR ended.status = {DELIVERED} AS ends
                        FROM unnest($1, $2, $3, $4) AS ended (seq, status, made, at)
                        JOIN messages m ON m.seq = ended.seq
                    ) AS step
                    WHERE messages.seq = step.seq
                    RETURNING messages.seq, step.ends
                    "
                ),
                &params![seqs, statuses, made, times],
            )
            .await?;
        let mut ended = HashSet::new();
        for row in &rows {
            if column(row, "ends")? {
                ended.insert(column(row, "seq")?);
            }
        }
        Ok(ended)
    }
}

/// Rows of four as four columns.
fn columns(rows: &[(i64, i64, i64, i64)]) -> (Vec<i64>, Vec<i64>, Vec<i64>, Vec<i64>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        columns.0.push(row.0);
        columns.1.push(row.1);
        columns.2.push(row.2);
        columns.3.push(row.3);
    }
    columns
}

/// Moves a message to the lane of its fallback: id, why the primary failed, and the entity if that lane is ordered.
/// `false` if that is not possible.
async fn to_fallback(
    to: &Transaction,
    seq: i64,
    (fallback, primary_error, in_order): (&str, &str, Option<&str>),
    made: i64,
    at: Now,
) -> Result<bool, StoreError> {
    let changed = to
        .run(
            &format!(
                r"
                UPDATE messages
                SET status = CASE status WHEN {SENDING} THEN {PENDING} ELSE status END,
                    lease_until = NULL,
                    claim = claim + 1,
                    next_attempt_at = $2,
                    attempts = attempts + $3,
                    attempts_before = attempts + $3,
                    target_id = $4,
                    primary_error = $5,
                    entity = $6
                WHERE seq = $1
                  AND EXISTS (SELECT 1 FROM subscriptions WHERE id = $4 AND parked_since IS NULL)
                  AND NOT EXISTS (
                      SELECT 1
                      FROM subscriptions s
                      WHERE s.id = messages.subscription_id
                        AND s.parked_since IS NOT NULL
                  )
                "
            ),
            &params![seq, at.due.as_micros(), made, fallback, primary_error, in_order],
        )
        .await?;
    Ok(changed == 1)
}

/// Writes a dead letter.
async fn bury(to: &Transaction, settlement: &Settlement) -> Result<(), StoreError> {
    let Next::Dead { url, payload, error, primary_error, fallback_error } = &settlement.next else {
        return Ok(());
    };
    to.run(
        r"
        INSERT INTO dead_letters (
            message_seq, subscription_id, url, payload,
            error, primary_error, fallback_error, failed_at, is_reported
        ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE)
        ON CONFLICT (message_seq) DO UPDATE SET
            subscription_id = excluded.subscription_id,
            url = excluded.url,
            payload = excluded.payload,
            error = excluded.error,
            primary_error = excluded.primary_error,
            fallback_error = excluded.fallback_error,
            failed_at = excluded.failed_at,
            is_reported = FALSE
        ",
        &params![
            settlement.seq,
            settlement.subscription,
            url,
            &**payload,
            error,
            primary_error,
            fallback_error,
            settlement.at.wall.as_micros(),
        ],
    )
    .await?;
    Ok(())
}
