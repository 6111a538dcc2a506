//! Creates messages from deliveries and published events. The cursor and the messages change in one transaction.

use async_trait::async_trait;

use super::columns::{event, time, to_json};
use super::new_messages::{NewEvent, NewMessages, insert_events, positions};
use crate::domain::{MessageId, Now, OutgoingEvent};
use crate::store::numbers::ACCEPTED;
use crate::store::outbox::columns::EVENT_COLUMNS;
use crate::store::postgres::{HORIZON, Postgres, Transaction, column, params, whole};
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
        self.page_of_log(&format!("d.verdict = {ACCEPTED}"), after, limit, bytes).await
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
        self.add(|to| async move { publish(&to, event, posted, messages, now).await }).await
    }

    async fn published_event(&self, event_id: String) -> Result<Option<OutgoingEvent>, StoreError> {
        let sql =
            format!("SELECT {EVENT_COLUMNS} FROM events e WHERE e.posted IS NOT NULL AND e.event_id = $1");
        let row = self.connection().await?.maybe(&sql, &params![event_id]).await?;
        row.as_ref().map(event).transpose()
    }

    async fn published_types(&self) -> Result<Vec<PublishedType>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                r"
                SELECT event_type, count(*) AS events, max(received_at) AS last
                FROM events
                WHERE posted IS NOT NULL
                GROUP BY event_type
                ORDER BY event_type
                ",
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
        self.add(|to| async move { by_hand(&to, event, message, now).await }).await
    }
}

/// Writes the messages and moves the cursor. Of several nodes at the same cursor, one moves it; the others wait for it
/// and write nothing. Nor does a node that does not know a change of subscriptions yet: its messages might be missing. Nor
/// one that read a log which ended later, before a standby without its end took over: the cursor would pass what is new.
async fn fan_out(to: &Transaction, fan_out: &FanOut, now: Now) -> Result<Option<u32>, StoreError> {
    let moved = to
        .run(
            &format!(
                r"
                UPDATE facts
                SET value = $2
                WHERE name = 'fanout_cursor'
                  AND value = $1
                  AND $2 < {HORIZON}
                  AND EXISTS (SELECT 1 FROM facts f WHERE f.name = 'subscriptions' AND f.value = $3)
                "
            ),
            &params![fan_out.from, fan_out.through, fan_out.revision],
        )
        .await?;
    if moved == 0 {
        return Ok(None);
    }
    let seqs = positions(to, "events", fan_out.events.len()).await?;
    let mut new = NewMessages::default();
    for ((event, messages), seq) in fan_out.events.iter().zip(&seqs) {
        new.add(event, *seq, messages, now);
    }
    // The messages first: an event without any is not stored.
    let mut made = new.insert(to, false, now).await?;
    made.sort_unstable();
    let count = |seq: i64| {
        let (before, through) = (made.partition_point(|at| *at < seq), made.partition_point(|at| *at <= seq));
        whole(through.saturating_sub(before))
    };
    let mut events = Vec::new();
    for ((event, _), seq) in fan_out.events.iter().zip(seqs) {
        events.push(NewEvent { event, seq, messages: count(seq) });
    }
    events.retain(|event| event.messages > 0);
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
            r"
            INSERT INTO events (
                source, event_id, event_type, entity, received_at,
                body, delivery_id, lineage, posted, messages
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)
            ON CONFLICT (event_id) WHERE posted IS NOT NULL DO NOTHING
            RETURNING seq
            ",
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
        // The lock is a write, so that the COMMIT waits for the standby: the answer says that the event is durable.
        let before = to
            .maybe(
                r"
                SELECT posted = $2 AS is_same
                FROM events
                WHERE event_id = $1
                  AND posted IS NOT NULL
                FOR KEY SHARE
                ",
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
    let seq = positions(to, "events", 1).await?.into_iter().next().unwrap_or_default();
    let mut new = NewMessages::default();
    let id = new.add(event, seq, std::slice::from_ref(message), now);
    let messages = whole(new.insert(to, true, now).await?.len());
    insert_events(to, &[NewEvent { event, seq, messages }]).await?;
    id.ok_or_else(|| StoreError::Unavailable("a message by hand has no id".to_owned()))
}
