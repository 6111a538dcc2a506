//! Messages that ran out of attempts: shown, replayed, discarded, and reported to administrators.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::by_hand::renew;
use super::columns::{bytes, message, time};
use super::fanout;
use super::locks::keep_subscriptions;
use crate::domain::{DeadLetter, MessageId, Now, OutgoingEvent, Timestamp};
use crate::store::outbox::columns::{IN_FORCE, LETTER_COLUMNS, MESSAGE_COLUMNS};
use crate::store::outbox::letter_filter::{Dialect, Value, condition};
use crate::store::outbox::unreported::{self, LETTERS_AT_ONCE, Unreported};
use crate::store::postgres::{Param, Postgres, Transaction, Typed, column, params, whole};
use crate::store::{DeadLetterFilter, DeadLetters, LetterGroup, NewMessage, StoreError, UnreportedLetters};

/// How PostgreSQL writes a filter.
const DIALECT: Dialect = Dialect {
    sign: '$',
    find: "strpos(d.error, ",
    of_ids: "d.message_seq IN (SELECT seq FROM messages WHERE id = ANY ($1))",
};

impl Typed for Value<'_> {
    fn param(&self) -> Param<'_> {
        match self {
            Value::Ids(ids) => ids.param(),
            Value::Text(text) => text.param(),
            Value::Time(time) => time.param(),
        }
    }
}

/// The parameters of a filter. The server plans each call with their values.
fn params_of<'v>(values: &'v [Value<'_>]) -> Vec<Param<'v>> {
    values.iter().map(Typed::param).collect()
}

#[async_trait]
impl DeadLetters for Postgres {
    async fn dead_letters(
        &self,
        filter: DeadLetterFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let (matches, values) = condition(&filter, &DIALECT);
        let rows = self
            .connection()
            .await?
            .rows(
                &format!(
                    r"
                    SELECT {MESSAGE_COLUMNS}, {LETTER_COLUMNS}
                    FROM dead_letters d
                    JOIN messages m ON m.seq = d.message_seq
                    JOIN events e ON e.seq = m.event_seq
                    WHERE {matches}
                      AND d.message_seq < {}
                    ORDER BY d.message_seq DESC
                    LIMIT {}
                    ",
                    before.unwrap_or(i64::MAX),
                    whole(limit)
                ),
                &params_of(&values),
            )
            .await?;
        rows.iter().map(letter).collect()
    }

    async fn unreported_dead_letters(
        &self,
        own_events: &'static [&'static str],
    ) -> Result<Vec<UnreportedLetters>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                r"
                SELECT d.subscription_id, m.id, m.event_type, d.error, m.seq
                FROM dead_letters d
                JOIN messages m ON m.seq = d.message_seq
                WHERE NOT d.is_reported
                ORDER BY d.subscription_id, d.message_seq
                LIMIT $1
                ",
                &params![whole(LETTERS_AT_ONCE)],
            )
            .await?;
        let mut all = Vec::new();
        for row in &rows {
            unreported::add(&mut all, unreported(row)?, own_events);
        }
        Ok(all)
    }

    async fn report_dead_letters(
        &self,
        letters: UnreportedLetters,
        notice: Option<(OutgoingEvent, Vec<NewMessage>)>,
        now: Now,
    ) -> Result<(), StoreError> {
        let (letters, notice) = (&letters, notice.as_ref());
        self.change(|to| async move {
            // Another node that reported the same letters leaves none, and no second notice.
            if mark_reported(&to, letters).await?
                && let Some((event, messages)) = notice
            {
                fanout::publish(&to, event, [0; 32], messages, now).await?;
            }
            Ok(())
        })
        .await
    }

    async fn replay_dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
        now: Now,
    ) -> Result<Vec<(MessageId, String)>, StoreError> {
        let filter = &filter;
        self.change(|to| async move { replay(&to, filter, limit, now).await }).await
    }

    async fn stranded_dead_letters(
        &self,
        filter: DeadLetterFilter,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let (matches, values) = condition(&filter, &DIALECT);
        let rows = self
            .connection()
            .await?
            .rows(
                &format!(
                    r"
                    SELECT d.subscription_id, count(*) AS letters
                    FROM dead_letters d
                    JOIN messages m ON m.seq = d.message_seq
                    WHERE {matches}
                      AND NOT {IN_FORCE}
                    GROUP BY d.subscription_id
                    ORDER BY d.subscription_id
                    "
                ),
                &params_of(&values),
            )
            .await?;
        let counted = |row| Ok((column(row, "subscription_id")?, count(row)?));
        rows.iter().map(counted).collect()
    }

    async fn dead_letter_groups(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<LetterGroup>, StoreError> {
        let (matches, values) = condition(&filter, &DIALECT);
        let rows = self
            .connection()
            .await?
            .rows(
                &format!(
                    r"
                    SELECT
                        d.subscription_id, d.error, count(*) AS letters,
                        min(d.failed_at) AS since, max(d.failed_at) AS last
                    FROM dead_letters d
                    JOIN messages m ON m.seq = d.message_seq
                    WHERE {matches}
                    GROUP BY d.subscription_id, d.error
                    ORDER BY last DESC, d.error
                    LIMIT {}
                    ",
                    whole(limit)
                ),
                &params_of(&values),
            )
            .await?;
        rows.iter().map(group).collect()
    }

    async fn discard_dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let filter = &filter;
        let discarded = self.change(|to| async move { discard(&to, filter, limit).await }).await?;
        Ok(usize::try_from(discarded).unwrap_or(usize::MAX))
    }

    async fn oldest_dead_letter(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT failed_at FROM dead_letters ORDER BY message_seq LIMIT 1";
        let row = self.connection().await?.maybe(sql, &[]).await?;
        row.map(|row| time(&row, "failed_at")).transpose()
    }
}

fn letter(row: &Row) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        message: message(row)?,
        url: column(row, "url")?,
        payload: bytes(row, "payload")?,
        error: column(row, "error")?,
        primary_error: column(row, "primary_error")?,
        fallback_error: column(row, "fallback_error")?,
        failed_at: time(row, "failed_at")?,
    })
}

fn unreported(row: &Row) -> Result<Unreported, StoreError> {
    Ok(Unreported {
        subscription: column(row, "subscription_id")?,
        id: MessageId::from_bytes(column(row, "id")?),
        seq: column(row, "seq")?,
        event_type: column(row, "event_type")?,
        error: column(row, "error")?,
    })
}

fn group(row: &Row) -> Result<LetterGroup, StoreError> {
    Ok(LetterGroup {
        subscription: column(row, "subscription_id")?,
        error: column(row, "error")?,
        count: count(row)?,
        since: time(row, "since")?,
        last: time(row, "last")?,
    })
}

fn count(row: &Row) -> Result<u64, StoreError> {
    column::<i64>(row, "letters").map(i64::unsigned_abs)
}

/// Records that administrators are notified; `false` if they were already, of each of these letters.
async fn mark_reported(to: &Transaction, letters: &UnreportedLetters) -> Result<bool, StoreError> {
    let changed = to
        .run(
            r"
            UPDATE dead_letters
            SET is_reported = TRUE
            WHERE NOT is_reported
              AND message_seq = ANY (ARRAY(
                  SELECT message_seq
                  FROM dead_letters
                  WHERE NOT is_reported
                    AND subscription_id = $1
                    AND message_seq <= $2
                  ORDER BY message_seq
                  FOR UPDATE
              ))
            ",
            &params![letters.subscription, letters.through],
        )
        .await?;
    Ok(changed > 0)
}

/// Replays dead letters, at most `limit`. Each starts a new round of attempts through its own subscription, which stays
/// in force until this is committed.
async fn replay(
    to: &Transaction,
    filter: &DeadLetterFilter,
    limit: usize,
    now: Now,
) -> Result<Vec<(MessageId, String)>, StoreError> {
    let (matches, values) = condition(filter, &DIALECT);
    let found = to
        .rows(
            &format!(
                r"
                SELECT m.seq
                FROM dead_letters d
                JOIN messages m ON m.seq = d.message_seq
                WHERE {matches}
                  AND {IN_FORCE}
                ORDER BY d.message_seq
                LIMIT {}
                ",
                whole(limit)
            ),
            &params_of(&values),
        )
        .await?;
    let found = found.iter().map(|row| column(row, "seq")).collect::<Result<Vec<i64>, _>>()?;
    keep_subscriptions(to, &[], &found).await?;
    // Another node may have replayed or discarded some of them at this moment.
    let rows = to
        .rows(
            &format!(
                r"
                SELECT m.seq, m.id, m.subscription_id
                FROM dead_letters d
                JOIN messages m ON m.seq = d.message_seq
                WHERE d.message_seq = ANY ($1)
                  AND {IN_FORCE}
                ORDER BY d.message_seq
                FOR UPDATE OF m, d
                "
            ),
            &params![found],
        )
        .await?;
    let seqs = rows.iter().map(|row| column(row, "seq")).collect::<Result<Vec<i64>, _>>()?;
    renew(to, &seqs, now).await?;
    to.run("DELETE FROM dead_letters WHERE message_seq = ANY ($1)", &params![seqs]).await?;
    rows.iter()
        .map(|row| Ok((MessageId::from_bytes(column(row, "id")?), column(row, "subscription_id")?)))
        .collect()
}

/// Discards dead letters that match, at most `limit`; their messages stay dead. Returns how many.
async fn discard(to: &Transaction, filter: &DeadLetterFilter, limit: usize) -> Result<u64, StoreError> {
    let (matches, values) = condition(filter, &DIALECT);
    to.run(
        &format!(
            r"
            DELETE FROM dead_letters
            WHERE message_seq = ANY (ARRAY(
                SELECT d.message_seq
                FROM dead_letters d
                JOIN messages m ON m.seq = d.message_seq
                WHERE {matches}
                ORDER BY d.message_seq
                LIMIT {}
                FOR UPDATE OF d
            ))
            ",
            whole(limit)
        ),
        &params_of(&values),
    )
    .await
}
