//! Writes new messages and events, many at a time.

use super::columns::to_json;
use crate::domain::{MessageId, Now, OutgoingEvent};
use crate::store::numbers::PENDING;
use crate::store::postgres::{Transaction, column, params, whole};
use crate::store::{NewMessage, StoreError};

/// The next positions in a table, ascending.
///
/// # Errors
/// `Unavailable` if the store cannot be written.
pub async fn positions(to: &Transaction, table: &str, count: usize) -> Result<Vec<i64>, StoreError> {
    let rows = to
        .rows(
            r"
            SELECT nextval(pg_get_serial_sequence($1, 'seq')) AS seq
            FROM generate_series(1, $2)
            ORDER BY seq
            ",
            &params![table, whole(count)],
        )
        .await?;
    rows.iter().map(|row| column(row, "seq")).collect()
}

/// An event with its position and the number of its messages.
pub struct NewEvent<'e> {
    /// The event.
    pub event: &'e OutgoingEvent,
    /// Its position.
    pub seq: i64,
    /// How many messages are about it.
    pub messages: i64,
}

/// Writes events that were not published.
///
/// # Errors
/// `Unavailable` if the store cannot be written.
pub async fn insert_events(to: &Transaction, events: &[NewEvent<'_>]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let each = || events.iter().map(|new| new.event);
    let delivery = |event: &OutgoingEvent| event.delivery.map(|id| id.as_bytes().to_vec());
    to.run(
        r"
        INSERT INTO events (
            seq, source, event_id, event_type, entity, received_at,
            body, delivery_id, lineage, messages
        )
        OVERRIDING SYSTEM VALUE
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ",
        &params![
            events.iter().map(|new| new.seq).collect::<Vec<_>>(),
            each().map(|event| event.source.as_str()).collect::<Vec<_>>(),
            each().map(|event| event.event_id.as_deref()).collect::<Vec<_>>(),
            each().map(|event| event.event_type.as_str()).collect::<Vec<_>>(),
            each().map(|event| event.entity.as_deref()).collect::<Vec<_>>(),
            each().map(|event| event.received_at.as_micros()).collect::<Vec<_>>(),
            each().map(|event| &*event.body).collect::<Vec<_>>(),
            each().map(delivery).collect::<Vec<_>>(),
            each().map(|event| to_json(&event.lineage)).collect::<Result<Vec<_>, _>>()?,
            events.iter().map(|new| new.messages).collect::<Vec<_>>(),
        ],
    )
    .await?;
    Ok(())
}

/// Messages to be written, as columns.
#[derive(Default)]
pub struct NewMessages<'e> {
    ids: Vec<Vec<u8>>,
    subscriptions: Vec<&'e str>,
    event_seqs: Vec<i64>,
    event_ids: Vec<Option<&'e str>>,
    event_types: Vec<&'e str>,
    entities: Vec<Option<&'e str>>,
}

impl<'e> NewMessages<'e> {
    /// Adds the messages of an event; returns the id of the last one.
    pub fn add(
        &mut self,
        event: &'e OutgoingEvent,
        event_seq: i64,
        messages: &'e [NewMessage],
        now: Now,
    ) -> Option<MessageId> {
        let mut last = None;
        for message in messages {
            let id = MessageId::new_at(now.wall);
            self.ids.push(id.as_bytes().to_vec());
            self.subscriptions.push(&message.subscription);
            self.event_seqs.push(event_seq);
            self.event_ids.push(event.event_id.as_deref());
            self.event_types.push(&event.event_type);
            self.entities.push(message.in_order.as_deref());
            last = Some(id);
        }
        last
    }

    /// The UNIQUE key decides: at most one message per subscription and event id, except manual ones. A subscription that
    /// was deleted or disabled in the meantime gets none; one that gets a message is not deleted before this is
    /// committed, and the deletion then cancels it. Returns the event of each message that was created.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be written.
    pub async fn insert(&self, to: &Transaction, is_by_hand: bool, now: Now) -> Result<Vec<i64>, StoreError> {
        if self.ids.is_empty() {
            return Ok(Vec::new());
        }
        let seqs = positions(to, "messages", self.ids.len()).await?;
        let rows = to
            .rows(
                &format!(
                    r"
                    INSERT INTO messages (
                        seq, id, subscription_id, target_id,
                        event_seq, event_id, event_type, entity, by_hand,
                        status, created_at, next_attempt_at, attempts, attempts_before
                    )
                    OVERRIDING SYSTEM VALUE
                    SELECT
                        new.seq, new.id, s.id, s.id,
                        new.event_seq, new.event_id, new.event_type, new.entity, $8,
                        {PENDING}, $9, $10, 0, 0
                    FROM unnest($1, $2, $3, $4, $5, $6, $7) AS new
                        (seq, id, subscription, event_seq, event_id, event_type, entity)
                    JOIN subscriptions s ON s.id = new.subscription
                    WHERE s.enabled OR $8
                    ORDER BY new.seq
                    FOR KEY SHARE OF s
                    ON CONFLICT DO NOTHING
                    RETURNING event_seq
                    "
                ),
                &params![
                    seqs,
                    self.ids,
                    self.subscriptions,
                    self.event_seqs,
                    self.event_ids,
                    self.event_types,
                    self.entities,
                    is_by_hand,
                    now.wall.as_micros(),
                    now.due.as_micros(),
                ],
            )
            .await?;
        rows.iter().map(|row| column(row, "event_seq")).collect()
    }
}
