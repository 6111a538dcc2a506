//! Creates messages from deliveries and published events. The cursor and the messages change in one transaction.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::columns::to_json;
use super::messages;
use crate::domain::{MessageId, Now, OutgoingEvent, Timestamp};
use crate::store::numbers::{ACCEPTED, PENDING};
use crate::store::sqlite::Sqlite;
use crate::store::{FanOut, FanningOut, LoggedDelivery, NewMessage, Published, PublishedType, StoreError};

#[async_trait]
impl FanningOut for Sqlite {
    async fn fanout_cursor(&self) -> Result<i64, StoreError> {
        self.read(cursor).await
    }

    async fn unfanned(
        &self,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<LoggedDelivery>, i64), StoreError> {
        // The unary plus keeps SQLite from using the index on verdicts: the log is read in its order.
        self.page_of_log(format!("+d.verdict = {ACCEPTED}"), after, limit, bytes).await
    }

    async fn fan_out(&self, fan_out: FanOut, now: Now) -> Result<Option<u32>, StoreError> {
        self.change(move |to| self::fan_out(to, &fan_out, now)).await
    }

    async fn publish(
        &self,
        event: OutgoingEvent,
        posted: [u8; 32],
        messages: Vec<NewMessage>,
        now: Now,
    ) -> Result<Published, StoreError> {
        self.add(move |to| publish(to, &event, posted, &messages, now)).await
    }

    async fn published_event(&self, event_id: String) -> Result<Option<OutgoingEvent>, StoreError> {
        self.read(move |from| messages::event_of(from, &event_id)).await
    }

    async fn published_types(&self) -> Result<Vec<PublishedType>, StoreError> {
        self.read(published_types).await
    }

    async fn message_by_hand(
        &self,
        event: OutgoingEvent,
        message: NewMessage,
        now: Now,
    ) -> Result<MessageId, StoreError> {
        self.add(move |to| by_hand(to, &event, &message, now)).await
    }
}

/// How far the log has been fanned out.
pub fn cursor(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT value FROM facts WHERE name = 'fanout_cursor'")?
        .query_row([], |row| row.get(0))
}

/// Writes the messages and moves the cursor. Returns the number of messages created; `None` if another caller moved
/// the cursor.
pub fn fan_out(connection: &Connection, fan_out: &FanOut, now: Now) -> rusqlite::Result<Option<u32>> {
    let moved = connection
        .prepare_cached("UPDATE facts SET value = ?2 WHERE name = 'fanout_cursor' AND value = ?1")?
        .execute([fan_out.from, fan_out.through])?;
    if moved == 0 {
        return Ok(None);
    }
    let mut made = 0_u32;
    for (event, messages) in &fan_out.events {
        made = made.saturating_add(put_event(connection, event, None, messages, now)?);
    }
    Ok(Some(made))
}

/// Publishes one of our own events; `posted` is the digest of the posted body.
pub fn publish(
    connection: &Connection,
    event: &OutgoingEvent,
    posted: [u8; 32],
    messages: &[NewMessage],
    now: Now,
) -> rusqlite::Result<Published> {
    if let Some(id) = &event.event_id
        && let Some(before) = published(connection, id)?
    {
        return Ok(if before == posted { Published::Again } else { Published::Conflict });
    }
    put_event(connection, event, Some(posted), messages, now).map(Published::New)
}

/// The digest of the body posted under this id, if any.
fn published(connection: &Connection, event_id: &str) -> rusqlite::Result<Option<[u8; 32]>> {
    connection
        .prepare_cached("SELECT posted FROM events WHERE event_id = ?1 AND posted IS NOT NULL")?
        .query_row([event_id], |row| row.get(0))
        .optional()
}

/// The types of published events that are stored, counted in their index.
pub fn published_types(connection: &Connection) -> rusqlite::Result<Vec<PublishedType>> {
    connection
        .prepare_cached(
            r"
            SELECT event_type, count(*), max(received_at)
            FROM events
            WHERE posted IS NOT NULL
            GROUP BY event_type
            ",
        )?
        .query_map([], |row| {
            Ok(PublishedType {
                event_type: row.get(0)?,
                count: row.get::<_, i64>(1)?.unsigned_abs(),
                last: Timestamp::from_micros(row.get(2)?),
            })
        })?
        .collect()
}

/// Creates one message that was requested by hand, regardless of earlier messages.
pub fn by_hand(
    connection: &Connection,
    event: &OutgoingEvent,
    message: &NewMessage,
    now: Now,
) -> rusqlite::Result<MessageId> {
    let event_seq = insert_event(connection, event, None)?;
    let id = MessageId::new_at(now.wall);
    let made = insert_message(connection, id, event, event_seq, message, true, now)?;
    count_messages(connection, event_seq, made)?;
    Ok(id)
}

/// Writes an event and its messages; an event without messages is stored only if it was published.
fn put_event(
    connection: &Connection,
    event: &OutgoingEvent,
    posted: Option<[u8; 32]>,
    messages: &[NewMessage],
    now: Now,
) -> rusqlite::Result<u32> {
    let event_seq = insert_event(connection, event, posted)?;
    let mut made = 0_u32;
    for message in messages {
        let id = MessageId::new_at(now.wall);
        made = made.saturating_add(insert_message(connection, id, event, event_seq, message, false, now)?);
    }
    if made > 0 {
        count_messages(connection, event_seq, made)?;
    } else if posted.is_none() {
        connection.prepare_cached("DELETE FROM events WHERE seq = ?1")?.execute([event_seq])?;
    }
    Ok(made)
}

fn insert_event(
    connection: &Connection,
    event: &OutgoingEvent,
    posted: Option<[u8; 32]>,
) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            r"
            INSERT INTO events (
                source, event_id, event_type, entity, received_at,
                body, delivery_id, lineage, posted, messages
            ) VALUES (
                :source, :event_id, :event_type, :entity, :received_at,
                :body, :delivery, :lineage, :posted, 0
            )
            ",
        )?
        .insert(named_params! {
            ":source": event.source,
            ":event_id": event.event_id,
            ":event_type": event.event_type,
            ":entity": event.entity,
            ":received_at": event.received_at.as_micros(),
            ":body": &*event.body,
            ":delivery": event.delivery.map(|id| *id.as_bytes()),
            ":lineage": to_json(&event.lineage)?,
            ":posted": posted,
        })
}

fn count_messages(connection: &Connection, event_seq: i64, made: u32) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE events SET messages = messages + ?2 WHERE seq = ?1")?
        .execute(params![event_seq, made])?;
    Ok(())
}

/// The UNIQUE key decides: at most one message per subscription and event id, except manual ones. A subscription that
/// was deleted or disabled in the meantime gets none. Returns the number of messages created.
fn insert_message(
    connection: &Connection,
    id: MessageId,
    event: &OutgoingEvent,
    event_seq: i64,
    message: &NewMessage,
    is_by_hand: bool,
    now: Now,
) -> rusqlite::Result<u32> {
    let made = connection
        .prepare_cached(&format!(
            r"
            INSERT INTO messages (
                id, subscription_id, target_id,
                event_seq, event_id, event_type, entity, by_hand,
                status, created_at, next_attempt_at, attempts, attempts_before
            )
            SELECT
                :id, :subscription, :subscription,
                :event_seq, :event_id, :event_type, :in_order, :by_hand,
                {PENDING}, :now, :due, 0, 0
            FROM subscriptions
            WHERE id = :subscription
              AND (enabled OR :by_hand)
            ON CONFLICT DO NOTHING
            "
        ))?
        .execute(named_params! {
            ":id": id.as_bytes(),
            ":subscription": message.subscription,
            ":event_seq": event_seq,
            ":event_id": event.event_id,
            ":event_type": event.event_type,
            ":in_order": message.in_order,
            ":by_hand": is_by_hand,
            ":now": now.wall.as_micros(),
            ":due": now.due.as_micros(),
        })?;
    Ok(u32::try_from(made).unwrap_or(u32::MAX))
}
