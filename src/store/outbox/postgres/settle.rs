//! Appends attempts and writes their results.
//!
//! A settlement counts if its claim is still the last one of its message. Each one ends that claim, so a settlement that
//! is written again, because its first COMMIT was not answered, changes nothing either. An attempt is kept whoever made
//! it: the request was sent.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::columns::to_json;
use super::{figures, ordered, rate};
use crate::domain::{Attempt, AttemptError, Now, Timestamp};
use crate::store::outbox::tally::stored;
use crate::store::postgres::{Transaction, column, params};
use crate::store::{Next, Settlement, StoreError};

/// How long a message waits if its subscription exists but cannot be used now. An operator may fix it in that time.
const OUT_OF_FORCE: Duration = Duration::from_secs(60);
/// The numbers of the statuses in which a message ends.
const DELIVERED: i64 = 2;
const DEAD: i64 = 3;
const CANCELLED: i64 = 4;

/// A lane and an entity in it.
type Place = (String, String);

/// Writes attempts and their results.
pub async fn settle(to: &Transaction, settlements: &[Settlement], advanced: i64) -> Result<(), StoreError> {
    lock_subscriptions(to, settlements).await?;
    let messages = lock_messages(to, settlements).await?;
    let appended = append(to, settlements, &messages).await?;
    let mut steps = Steps::default();
    for settlement in settlements {
        if messages.get(&settlement.seq).is_some_and(|message| message.claim == settlement.claim) {
            steps.add(to, settlement).await?;
        }
    }
    steps.write(to, &messages).await?;
    rate::arrived(to, settlements, advanced).await?;
    figures::count(to, appended.into_iter()).await
}

/// What must not change while a message goes to its fallback, or ends because its subscription is gone.
async fn lock_subscriptions(to: &Transaction, settlements: &[Settlement]) -> Result<(), StoreError> {
    let mut targets: Vec<&str> = Vec::new();
    let mut seqs: Vec<i64> = Vec::new();
    for Settlement { seq, next, .. } in settlements {
        match next {
            Next::Fallback { target, .. } => targets.push(target),
            Next::Cancelled => {}
            _ => continue,
        }
        seqs.push(*seq);
    }
    if !seqs.is_empty() {
        to.rows(
            "SELECT 1 FROM subscriptions
             WHERE id = ANY ($1) OR id IN (SELECT subscription_id FROM messages WHERE seq = ANY ($2))
             ORDER BY id FOR SHARE",
            &params![targets, seqs],
        )
        .await?;
    }
    Ok(())
}

/// A message as it was found.
struct Found {
    claim: i64,
    /// If its lane is ordered.
    place: Option<Place>,
}

async fn lock_messages(
    to: &Transaction,
    settlements: &[Settlement],
) -> Result<HashMap<i64, Found>, StoreError> {
    let seqs: Vec<i64> = settlements.iter().map(|settlement| settlement.seq).collect();
    let rows = to
        .rows(
            "SELECT seq, claim, target_id, entity FROM messages WHERE seq = ANY ($1) ORDER BY seq FOR UPDATE",
            &params![seqs],
        )
        .await?;
    let mut messages = HashMap::new();
    for row in &rows {
        let target: String = column(row, "target_id")?;
        let place = column::<Option<String>>(row, "entity")?.map(|entity| (target, entity));
        messages.insert(column(row, "seq")?, Found { claim: column(row, "claim")?, place });
    }
    Ok(messages)
}

/// What follows, for many messages at once.
#[derive(Default)]
struct Steps<'s> {
    /// Messages that end: position, status, attempts, when.
    ended: Vec<(i64, i64, i64, i64)>,
    /// Messages that are due again: position, when, attempts, attempts that do not count.
    again: Vec<(i64, i64, i64, i64)>,
    dead: Vec<&'s Settlement>,
    /// Messages that left their lane for another one.
    moved: Vec<i64>,
    /// When the last of it was decided.
    at: Timestamp,
}

impl<'s> Steps<'s> {
    async fn add(&mut self, to: &Transaction, settlement: &'s Settlement) -> Result<(), StoreError> {
        let made = i64::from(settlement.attempt.is_some());
        let Settlement { seq, at, .. } = *settlement;
        self.at = self.at.max(at.due);
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
                let changed = to
                    .run(
                        "UPDATE messages SET status = CASE status WHEN 1 THEN 0 ELSE status END, lease_until = NULL,
                             claim = claim + 1, next_attempt_at = $2, attempts = attempts + $3,
                             attempts_before = attempts + $3, target_id = $4, primary_error = $5, entity = $6
                         WHERE seq = $1
                         AND EXISTS (SELECT 1 FROM subscriptions WHERE id = $4 AND parked_since IS NULL)
                         AND NOT EXISTS (SELECT 1 FROM subscriptions s
                                         WHERE s.id = messages.subscription_id AND s.parked_since IS NOT NULL)",
                        &params![seq, at.due.as_micros(), made, target, primary_error, in_order],
                    )
                    .await?;
                if changed == 0 {
                    // The fallback was removed, or one of the two subscriptions was parked in the meantime.
                    self.again.push((seq, at.due.as_micros(), made, 0));
                } else {
                    self.moved.push(seq);
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
                "SELECT s.parked_since IS NOT NULL AS is_parked
                 FROM messages m JOIN subscriptions s ON s.id = m.subscription_id WHERE m.seq = $1",
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
                    "UPDATE messages SET status = 0, lease_until = NULL, claim = claim + 1
                     WHERE seq = $1 AND status = 1",
                    &params![seq],
                )
                .await?;
            }
        }
        Ok(())
    }

    async fn write(self, to: &Transaction, messages: &HashMap<i64, Found>) -> Result<(), StoreError> {
        if !self.again.is_empty() {
            let (seqs, times, made, uncounted) = columns(&self.again);
            to.run(
                "UPDATE messages SET status = CASE status WHEN 1 THEN 0 ELSE status END, lease_until = NULL,
                     claim = claim + 1, next_attempt_at = step.due, attempts = attempts + step.made,
                     attempts_before = attempts_before + step.uncounted
                 FROM unnest($1, $2, $3, $4) AS step (seq, due, made, uncounted) WHERE messages.seq = step.seq",
                &params![seqs, times, made, uncounted],
            )
            .await?;
        }
        let ended = self.end(to).await?;
        let dead: Vec<&Settlement> =
            self.dead.iter().copied().filter(|letter| ended.contains(&letter.seq)).collect();
        bury(to, &dead).await?;
        let left = ended.iter().chain(&self.moved).filter_map(|seq| messages.get(seq)?.place.clone());
        ordered::wake_next(to, &left.collect::<Vec<_>>(), self.at).await
    }

    /// Ends messages; returns which. The others were cancelled in the meantime and did not arrive: they stay cancelled.
    async fn end(&self, to: &Transaction) -> Result<HashSet<i64>, StoreError> {
        if self.ended.is_empty() {
            return Ok(HashSet::new());
        }
        let (seqs, statuses, made, times) = columns(&self.ended);
        let rows = to
            .rows(
                "UPDATE messages SET status = CASE WHEN step.ends THEN step.status ELSE messages.status END,
                     lease_until = NULL, claim = claim + 1, attempts = attempts + step.made,
                     finished_at = CASE WHEN step.ends THEN step.at ELSE finished_at END
                 FROM (SELECT ended.*, m.status = 1 OR ended.status = 2 AS ends
                       FROM unnest($1, $2, $3, $4) AS ended (seq, status, made, at)
                       JOIN messages m ON m.seq = ended.seq) AS step
                 WHERE messages.seq = step.seq RETURNING messages.seq, step.ends",
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

/// Writes dead letters.
async fn bury(to: &Transaction, dead: &[&Settlement]) -> Result<(), StoreError> {
    for settlement in dead {
        let Next::Dead { url, payload, error, primary_error, fallback_error } = &settlement.next else {
            continue;
        };
        to.run(
            "INSERT INTO dead_letters (message_seq, subscription_id, url, payload, error, primary_error,
                 fallback_error, failed_at, is_reported)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE)
             ON CONFLICT (message_seq) DO UPDATE SET subscription_id = excluded.subscription_id, url = excluded.url,
                 payload = excluded.payload, error = excluded.error, primary_error = excluded.primary_error,
                 fallback_error = excluded.fallback_error, failed_at = excluded.failed_at, is_reported = FALSE",
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
    }
    Ok(())
}

/// Appends the attempts of messages that still exist; returns those that were not stored before.
async fn append<'s>(
    to: &Transaction,
    settlements: &'s [Settlement],
    messages: &HashMap<i64, Found>,
) -> Result<Vec<&'s Attempt>, StoreError> {
    let mut made: Vec<(i64, i64, &Attempt)> = Vec::new();
    for Settlement { seq, claim, attempt, .. } in settlements {
        made.extend(attempt.as_ref().filter(|_| messages.contains_key(seq)).map(|made| (*seq, *claim, made)));
    }
    if made.is_empty() {
        return Ok(Vec::new());
    }
    let each = || made.iter().map(|(_, _, attempt)| *attempt);
    let headers = each().map(|attempt| to_json(&attempt.response_headers)).collect::<Result<Vec<_>, _>>()?;
    let missing = each().map(|attempt| to_json(&attempt.missing)).collect::<Result<Vec<_>, _>>()?;
    let rows = to
        .rows(
            "INSERT INTO attempts (message_seq, number, claim, target_id, started_at, duration_us, status, error,
                 error_detail, response_headers, response_body, truncated, missing)
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT DO NOTHING RETURNING message_seq, number, claim",
            &params![
                made.iter().map(|(seq, ..)| *seq).collect::<Vec<_>>(),
                each().map(|attempt| i64::from(attempt.number)).collect::<Vec<_>>(),
                made.iter().map(|(_, claim, _)| *claim).collect::<Vec<_>>(),
                each().map(|attempt| attempt.target.as_str()).collect::<Vec<_>>(),
                each().map(|attempt| attempt.started_at.as_micros()).collect::<Vec<_>>(),
                each().map(|attempt| stored(attempt.duration_us)).collect::<Vec<_>>(),
                each().map(|attempt| attempt.status.map(i64::from)).collect::<Vec<_>>(),
                each().map(|attempt| attempt.error.map(AttemptError::as_str)).collect::<Vec<_>>(),
                each().map(|attempt| attempt.error_detail.as_deref()).collect::<Vec<_>>(),
                headers,
                each().map(|attempt| &*attempt.response_body).collect::<Vec<_>>(),
                each().map(|attempt| attempt.response_truncated).collect::<Vec<_>>(),
                missing,
            ],
        )
        .await?;
    let mut stored = HashSet::new();
    for row in &rows {
        let key: (i64, i64, i64) =
            (column(row, "message_seq")?, column(row, "number")?, column(row, "claim")?);
        stored.insert(key);
    }
    let is_new = |(seq, claim, attempt): &(i64, i64, &Attempt)| {
        stored.contains(&(*seq, i64::from(attempt.number), *claim))
    };
    Ok(made.into_iter().filter(is_new).map(|(_, _, attempt)| attempt).collect())
}
