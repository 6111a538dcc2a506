//! Creates messages from the log: the cursor and the messages change in one transaction.

use async_trait::async_trait;

use super::columns::{EVENT_COLUMNS, event, time, to_json};
use crate::domain::{MessageId, Now, OutgoingEvent};
use crate::store::postgres::{Postgres, Transaction, column, params, whole};
use crate::store::{FanOut, FanningOut, LoggedDelivery, NewMessage, Published, PublishedType, StoreError};

#[async_trait]
impl FanningOut for Postgres {
    async fn fanout_cursor(&self) -> Result<i64, StoreError> {
        let sql = "SELECT value FROM facts WHERE name = 'fanout_cursor'";
        column(&self.connection().await?.one(sql, &[]).await?, "value")
    }

    async fn unfanned(
        &self,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<LoggedDelivery>, i64), StoreError> {
        self.page_of_log("d.verdict = 0", after, limit, bytes).await
    }

    async fn fan_out(&self, fan_out: FanOut, now: Now) -> Result<Option<u32>, StoreError> {
        let fan_out = &fan_out;
        self.change(|to| async move { self::fan_out(&to, fan_out, now).await }).await
    }

    async fn publish(
        &self,
        event: OutgoingEvent,
        posted: [u8; 32],
        messages: Vec<NewMessage>,
        now: Now,
    ) -> Result<Published, StoreError> {
        let (event, messages) = (&event, messages.as_slice());
        self.change(|to| async move { publish(&to, event, posted, messages, now).await }).await
    }

    async fn published_event(&self, event_id: String) -> Result<Option<OutgoingEvent>, StoreError> {
        let row = self
            .connection()
            .await?
            .maybe(
                &format!(
                    "SELECT {EVENT_COLUMNS} FROM events e WHERE e.posted IS NOT NULL AND e.event_id = $1"
                ),
                &params![event_id],
            )
            .await?;
        row.as_ref().map(event).transpose()
    }

    async fn published_types(&self) -> Result<Vec<PublishedType>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                "SELECT event_type, count(*) AS events, max(received_at) AS last FROM events
                 WHERE posted IS NOT NULL GROUP BY event_type ORDER BY event_type",
                &[],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(PublishedType {
                    event_type: column(row, "event_type")?,
                    count: column::<i64>(row, "events")?.unsigned_abs(),
                    last: time(row, "last")?,
                })
            })
            .collect()
    }

    async fn message_by_hand(
        &self,
        event: OutgoingEvent,
        message: NewMessage,
        now: Now,
    ) -> Result<MessageId, StoreError> {
        let (event, message) = (&event, &message);
        self.change(|to| async move { by_hand(&to, event, message, now).await }).await
    }
}

/// Writes the messages and moves the cursor. Of several nodes at the same cursor, one moves it; the others wait for it
/// and write nothing.
async fn fan_out(to: &Transaction, fan_out: &FanOut, now: Now) -> Result<Option<u32>, StoreError> {
    let moved = to
        .run(
            "UPDATE facts SET value = $2 WHERE name = 'fanout_cursor' AND value = $1",
            &params![fan_out.from, fan_out.through],
        )
        .await?;
    if moved == 0 {
        return Ok(None);
    }
    let seqs = numbers(to, "events", fan_out.events.len()).await?;
    let mut new = NewMessages::default();
    for ((event, messages), seq) in fan_out.events.iter().zip(&seqs) {
        new.add(event, *seq, messages, now);
    }
    // The messages first: an event without any is not stored.
    let mut made = new.insert(to, false, now).await?;
    made.sort_unstable();
    let count = |seq: &i64| made.partition_point(|at| at <= seq) - made.partition_point(|at| at < seq);
    let mut events = Vec::new();
    for ((event, _), seq) in fan_out.events.iter().zip(&seqs) {
        let messages = whole(count(seq));
        if messages > 0 {
            events.push(NewEvent { event, seq: *seq, messages });
        }
    }
    insert_events(to, &events).await?;
    Ok(Some(u32::try_from(made.len()).unwrap_or(u32::MAX)))
}

/// Publishes one of our own events; `posted` is the digest of the posted body. Another node that publishes the same id at
/// this moment is waited for.
///
/// # Errors
/// `Unavailable` if the store cannot be written.
pub async fn publish(
    to: &Transaction,
    event: &OutgoingEvent,
    posted: [u8; 32],
    messages: &[NewMessage],
    now: Now,
) -> Result<Published, StoreError> {
    let made = to
        .maybe(
            "INSERT INTO events (source, event_id, event_type, entity, received_at, body, delivery_id, lineage, posted,
                 messages)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)
             ON CONFLICT (event_id) WHERE posted IS NOT NULL DO NOTHING RETURNING seq",
            &params![
                event.source,
                event.event_id,
                event.event_type,
                event.entity,
                event.received_at.as_micros(),
                &*event.body,
                event.delivery.map(|id| *id.as_bytes()),
                to_json(&event.lineage)?,
                posted,
            ],
        )
        .await?;
    let Some(made) = made else {
        let before = to
            .maybe(
                "SELECT posted = $2 AS is_same FROM events WHERE event_id = $1 AND posted IS NOT NULL",
                &params![event.event_id, posted],
            )
            .await?;
        // Retention may have removed it in between: then it was there all the same.
        let is_same = before.map_or(Ok(true), |row| column(&row, "is_same"))?;
        return Ok(if is_same { Published::Again } else { Published::Conflict });
    };
    let event_seq: i64 = column(&made, "seq")?;
    let mut new = NewMessages::default();
    new.add(event, event_seq, messages, now);
    let made = new.insert(to, false, now).await?.len();
    if made > 0 {
        to.run("UPDATE events SET messages = $2 WHERE seq = $1", &params![event_seq, whole(made)]).await?;
    }
    Ok(Published::New(u32::try_from(made).unwrap_or(u32::MAX)))
}

/// Creates one message that was requested by hand, regardless of earlier messages.
async fn by_hand(
    to: &Transaction,
    event: &OutgoingEvent,
    message: &NewMessage,
    now: Now,
) -> Result<MessageId, StoreError> {
    let seq = numbers(to, "events", 1).await?.into_iter().next().unwrap_or_default();
    let mut new = NewMessages::default();
    let id = new.add(event, seq, std::slice::from_ref(message), now);
    let messages = whole(new.insert(to, true, now).await?.len());
    insert_events(to, &[NewEvent { event, seq, messages }]).await?;
    id.ok_or_else(|| StoreError::Unavailable("a message by hand has no id".to_owned()))
}

/// The next positions in a table, ascending.
async fn numbers(to: &Transaction, table: &str, count: usize) -> Result<Vec<i64>, StoreError> {
    let rows = to
        .rows(
            "SELECT nextval(pg_get_serial_sequence($1, 'seq')) AS seq FROM generate_series(1, $2) ORDER BY seq",
            &params![table, whole(count)],
        )
        .await?;
    rows.iter().map(|row| column(row, "seq")).collect()
}

/// An event with its position and the number of its messages.
struct NewEvent<'e> {
    event: &'e OutgoingEvent,
    seq: i64,
    messages: i64,
}

/// Writes events that were not published.
async fn insert_events(to: &Transaction, events: &[NewEvent<'_>]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let each = || events.iter().map(|new| new.event);
    let delivery = |event: &OutgoingEvent| event.delivery.map(|id| id.as_bytes().to_vec());
    to.run(
        "INSERT INTO events (seq, source, event_id, event_type, entity, received_at, body, delivery_id, lineage, posted,
             messages)
         OVERRIDING SYSTEM VALUE
         SELECT seq, source, event_id, event_type, entity, received_at, body, delivery_id, lineage, NULL, messages
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS new
             (seq, source, event_id, event_type, entity, received_at, body, delivery_id, lineage, messages)",
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
struct NewMessages<'e> {
    ids: Vec<Vec<u8>>,
    subscriptions: Vec<&'e str>,
    event_seqs: Vec<i64>,
    event_ids: Vec<Option<&'e str>>,
    event_types: Vec<&'e str>,
    entities: Vec<Option<&'e str>>,
}

impl<'e> NewMessages<'e> {
    /// Adds the messages of an event; returns the id of the last one.
    fn add(
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
    async fn insert(&self, to: &Transaction, is_by_hand: bool, now: Now) -> Result<Vec<i64>, StoreError> {
        if self.ids.is_empty() {
            return Ok(Vec::new());
        }
        let seqs = numbers(to, "messages", self.ids.len()).await?;
        let rows = to
            .rows(
                "INSERT INTO messages (seq, id, subscription_id, target_id, event_seq, event_id, event_type, entity,
                     by_hand, status, created_at, next_attempt_at, attempts, attempts_before)
                 OVERRIDING SYSTEM VALUE
                 SELECT new.seq, new.id, s.id, s.id, new.event_seq, new.event_id, new.event_type, new.entity,
                     $8, 0, $9, $10, 0, 0
                 FROM unnest($1, $2, $3, $4, $5, $6, $7) AS new
                     (seq, id, subscription, event_seq, event_id, event_type, entity)
                 JOIN subscriptions s ON s.id = new.subscription AND (s.enabled OR $8)
                 ORDER BY new.seq FOR KEY SHARE OF s
                 ON CONFLICT DO NOTHING RETURNING event_seq",
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
