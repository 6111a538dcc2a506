//! Messages that ran out of attempts: lists, notices, replay and discard.

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension as _, ToSql, params, params_from_iter};

use super::by_hand::renew;
use super::columns::message;
use super::fanout;
use crate::domain::{DeadLetter, MessageId, Now, OutgoingEvent, Timestamp};
use crate::store::outbox::columns::{IN_FORCE, LETTER_COLUMNS, MESSAGE_COLUMNS};
use crate::store::outbox::letter_filter::{Dialect, Value, condition};
use crate::store::outbox::unreported::{self, LETTERS_AT_ONCE, Unreported};
use crate::store::sqlite::fields::{count, time};
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{DeadLetterFilter, DeadLetters, LetterGroup, NewMessage, StoreError, UnreportedLetters};

#[async_trait]
impl DeadLetters for Sqlite {
    async fn dead_letters(
        &self,
        filter: DeadLetterFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.read(move |from| letters(from, &filter, before, limit)).await
    }

    async fn unreported_dead_letters(
        &self,
        own_events: &'static [&'static str],
    ) -> Result<Vec<UnreportedLetters>, StoreError> {
        self.read(move |from| unreported(from, own_events)).await
    }

    async fn report_dead_letters(
        &self,
        letters: UnreportedLetters,
        notice: Option<(OutgoingEvent, Vec<NewMessage>)>,
        now: Now,
    ) -> Result<(), StoreError> {
        self.change(move |to| {
            if let Some((event, messages)) = &notice {
                fanout::publish(to, event, [0; 32], messages, now)?;
            }
            mark_reported(to, &letters.subscription, letters.through)
        })
        .await
    }

    async fn replay_dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
        now: Now,
    ) -> Result<Vec<(MessageId, String)>, StoreError> {
        self.change(move |to| replay(to, &filter, limit, now)).await
    }

    async fn stranded_dead_letters(
        &self,
        filter: DeadLetterFilter,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(move |from| stranded(from, &filter)).await
    }

    async fn dead_letter_groups(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<LetterGroup>, StoreError> {
        self.read(move |from| letter_groups(from, &filter, limit)).await
    }

    async fn discard_dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<usize, StoreError> {
        self.change(move |to| discard(to, &filter, limit)).await
    }

    async fn oldest_dead_letter(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(oldest).await
    }
}

/// How SQLite writes a filter.
const DIALECT: Dialect = Dialect {
    sign: '?',
    find: "instr(d.error, ",
    of_ids: "d.message_seq IN (SELECT seq FROM messages WHERE id IN (SELECT unhex(value) FROM json_each(?1)))",
};

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Value::Ids(ids) => {
                let ids: Vec<String> = ids.iter().map(hex::encode).collect();
                Ok(serde_json::json!(ids).to_string().into())
            }
            Value::Text(text) => text.to_sql(),
            Value::Time(time) => time.to_sql(),
        }
    }
}

/// Dead letters that match, the newest message first, before the position `before`.
pub fn letters(
    connection: &Connection,
    filter: &DeadLetterFilter,
    before: Option<i64>,
    limit: usize,
) -> rusqlite::Result<Vec<DeadLetter>> {
    let (matches, values) = condition(filter, &DIALECT);
    let sql = format!(
        r"
        SELECT {MESSAGE_COLUMNS}, {LETTER_COLUMNS}
        FROM dead_letters d
        CROSS JOIN messages m ON m.seq = d.message_seq
        JOIN events e ON e.seq = m.event_seq
        WHERE {matches}
          AND d.message_seq < {}
        ORDER BY d.message_seq DESC
        LIMIT {}
        ",
        before.unwrap_or(i64::MAX),
        whole(limit)
    );
    connection
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| {
            Ok(DeadLetter {
                message: message(row)?,
                url: row.get("url")?,
                payload: Bytes::copy_from_slice(row.get_ref("payload")?.as_blob()?),
                error: row.get("error")?,
                primary_error: row.get("primary_error")?,
                fallback_error: row.get("fallback_error")?,
                failed_at: time(row, "failed_at")?,
            })
        })?
        .collect()
}

/// When the oldest dead letter failed.
pub fn oldest(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    connection
        .prepare_cached("SELECT failed_at FROM dead_letters ORDER BY message_seq LIMIT 1")?
        .query_row([], |row| row.get(0).map(Timestamp::from_micros))
        .optional()
}

/// Replays dead letters, at most `limit`. Each starts a new round of attempts through its own subscription. Those
/// whose subscription is not in force do not change. Returns each message with its subscription.
pub fn replay(
    connection: &Connection,
    filter: &DeadLetterFilter,
    limit: usize,
    now: Now,
) -> rusqlite::Result<Vec<(MessageId, String)>> {
    let (matches, values) = condition(filter, &DIALECT);
    let sql = format!(
        r"
        SELECT m.seq, m.id, m.subscription_id
        FROM dead_letters d
        CROSS JOIN messages m ON m.seq = d.message_seq
        WHERE {matches}
          AND {IN_FORCE}
        ORDER BY d.message_seq
        LIMIT {}
        ",
        whole(limit)
    );
    let found = connection
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| {
            Ok((row.get::<_, i64>(0)?, (MessageId::from_bytes(row.get(1)?), row.get(2)?)))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for (seq, _) in &found {
        renew(connection, *seq, now)?;
        connection.prepare_cached("DELETE FROM dead_letters WHERE message_seq = ?1")?.execute([seq])?;
    }
    Ok(found.into_iter().map(|(_, replayed)| replayed).collect())
}

/// Matching dead letters that cannot be replayed because their subscription is not in force, counted per subscription.
pub fn stranded(connection: &Connection, filter: &DeadLetterFilter) -> rusqlite::Result<Vec<(String, u64)>> {
    let (matches, values) = condition(filter, &DIALECT);
    let sql = format!(
        r"
        SELECT d.subscription_id, count(*)
        FROM dead_letters d
        CROSS JOIN messages m ON m.seq = d.message_seq
        WHERE {matches}
          AND NOT {IN_FORCE}
        GROUP BY d.subscription_id
        "
    );
    connection
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?
        .collect()
}

/// Dead letters that match, by subscription and error, those that died last first.
pub fn letter_groups(
    connection: &Connection,
    filter: &DeadLetterFilter,
    limit: usize,
) -> rusqlite::Result<Vec<LetterGroup>> {
    let (matches, values) = condition(filter, &DIALECT);
    // Without its message a letter is counted in the index alone.
    let is_of_message = filter.event_id.is_some() || filter.event_type.is_some();
    let message = if is_of_message { "CROSS JOIN messages m ON m.seq = d.message_seq" } else { "" };
    let sql = format!(
        r"
        SELECT d.subscription_id, d.error, count(*) AS letters, min(d.failed_at) AS since, max(d.failed_at) AS last
        FROM dead_letters d
        {message}
        WHERE {matches}
        GROUP BY d.subscription_id, d.error
        ORDER BY max(d.failed_at) DESC, d.error
        LIMIT {}
        ",
        whole(limit)
    );
    connection
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| {
            Ok(LetterGroup {
                subscription: row.get("subscription_id")?,
                error: row.get("error")?,
                count: count(row, "letters")?,
                since: time(row, "since")?,
                last: time(row, "last")?,
            })
        })?
        .collect()
}

/// Discards dead letters that match, at most `limit`; their messages stay dead. Returns how many.
pub fn discard(connection: &Connection, filter: &DeadLetterFilter, limit: usize) -> rusqlite::Result<usize> {
    let (matches, values) = condition(filter, &DIALECT);
    connection
        .prepare_cached(&format!(
            r"
            DELETE FROM dead_letters
            WHERE message_seq IN (
                SELECT d.message_seq
                FROM dead_letters d
                CROSS JOIN messages m ON m.seq = d.message_seq
                WHERE {matches}
                ORDER BY d.message_seq
                LIMIT {}
            )
            ",
            whole(limit)
        ))?
        .execute(params_from_iter(values))
}

/// Dead letters without a notice yet, by subscription. `own_events` never cause a notice: notices about notices would
/// never end.
pub fn unreported(connection: &Connection, own_events: &[&str]) -> rusqlite::Result<Vec<UnreportedLetters>> {
    let mut statement = connection.prepare_cached(
        r"
        SELECT d.subscription_id, m.id, m.event_type, d.error, m.seq
        FROM dead_letters d
        CROSS JOIN messages m ON m.seq = d.message_seq
        WHERE d.is_told = 0
        ORDER BY d.subscription_id, d.message_seq
        LIMIT ?1
        ",
    )?;
    let mut rows = statement.query([whole(LETTERS_AT_ONCE)])?;
    let mut all: Vec<UnreportedLetters> = Vec::new();
    while let Some(row) = rows.next()? {
        let letter = Unreported {
            subscription: row.get("subscription_id")?,
            id: MessageId::from_bytes(row.get("id")?),
            event_type: row.get("event_type")?,
            error: row.get("error")?,
            seq: row.get("seq")?,
        };
        unreported::add(&mut all, letter, own_events);
    }
    Ok(all)
}

/// Records that administrators were notified about a subscription's dead letters up to `through`.
pub fn mark_reported(connection: &Connection, subscription: &str, through: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            r"
            UPDATE dead_letters
            SET is_told = 1
            WHERE is_told = 0
              AND subscription_id = ?1
              AND message_seq <= ?2
            ",
        )?
        .execute(params![subscription, through])?;
    Ok(())
}
