//! What every store promises about the outbox.

use std::time::Duration;

use crate::domain::{DeadLetter, MessageFilter, MessageId, MessageRow, Now, OutgoingEvent, Timestamp};
use crate::store::sqlite::outbox;
use crate::store::{
    DeadLetterFilter, Due, FanOut, FannedDelivery, HealthCheck, LaneClaim, NewMessage, ParkedRecord,
    Published, PublishedType, SenderFigures, Settlement, Store, StoreError, StoredMessage,
    SubscriptionRecord, Told,
};

/// Every method fails with `Unavailable` if the store cannot be read or written. Methods that write fail with `Full`
/// while the writer's queue is full.
impl Store {
    /// Every subscription, the oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn subscriptions(&self) -> Result<Vec<SubscriptionRecord>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(outbox::records).await,
        }
    }

    /// Puts a subscription in force and returns its stored form. A subscription that is new, enabled again or no
    /// longer parked gets only later events.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn put_subscription(
        &self,
        record: SubscriptionRecord,
    ) -> Result<SubscriptionRecord, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(true, move |to| outbox::put(to, &record)).await,
        }
    }

    /// Disables a subscription automatically; `false` if it was already disabled or does not exist.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn disable_subscription(
        &self,
        id: String,
        reason: &'static str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(false, move |to| outbox::disable(to, &id, reason, now)).await
            }
        }
    }

    /// Takes a subscription out of force but keeps it; its waiting messages are parked. `None` if it does not exist.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn park_subscription(
        &self,
        id: String,
        now: Timestamp,
    ) -> Result<Option<ParkedRecord>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::park(to, &id, now)).await,
        }
    }

    /// The number of messages of a subscription that wait or are being sent; counts up to 100,000.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn waiting_messages(&self, id: String) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| outbox::waiting(from, &id)).await,
        }
    }

    /// Removes a subscription and cancels its messages. Returns the number of cancelled messages; `None` if the
    /// subscription does not exist.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn delete_subscription(&self, id: String, now: Timestamp) -> Result<Option<u64>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::delete(to, &id, now)).await,
        }
    }

    /// How far the log has been fanned out.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn fanout_cursor(&self) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(outbox::cursor).await,
        }
    }

    /// Accepted deliveries after `after`, oldest first, and the position through which the log was read.
    /// At most `limit` deliveries and about `bytes` of bodies.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn unfanned(
        &self,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<FannedDelivery>, i64), StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let newest = *sqlite.newest().borrow();
                let found = sqlite.read(move |from| outbox::unfanned(from, after, limit, bytes)).await?;
                // A short page reached the end: it covers everything committed before the query.
                let weight: usize = found.iter().map(|delivery| delivery.body.len()).sum();
                let last = found.last().map_or(after, |delivery| delivery.row.seq);
                let is_page_full = found.len() >= limit || weight >= bytes;
                Ok((found, if is_page_full { last } else { last.max(newest) }))
            }
        }
    }

    /// Writes the messages of a fan-out and moves its cursor, in one transaction. Returns the number of messages
    /// created; `None`, with nothing written, if the cursor has moved in the meantime.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn fan_out(&self, fan_out: FanOut, now: Now) -> Result<Option<u32>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::fan_out(to, &fan_out, now)).await,
        }
    }

    /// Publishes one of our own events with its messages; `posted` is the digest of the posted body.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn publish(
        &self,
        event: OutgoingEvent,
        posted: [u8; 32],
        messages: Vec<NewMessage>,
        now: Now,
    ) -> Result<Published, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(true, move |to| outbox::publish(to, &event, posted, &messages, now)).await
            }
        }
    }

    /// The published event with this id.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn published_event(&self, event_id: String) -> Result<Option<OutgoingEvent>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| outbox::event_of(from, &event_id)).await,
        }
    }

    /// The types of published events that are stored.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn published_types(&self) -> Result<Vec<PublishedType>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(outbox::published_types).await,
        }
    }

    /// Creates one message that was requested by hand, regardless of earlier messages.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn message_by_hand(
        &self,
        event: OutgoingEvent,
        message: NewMessage,
        now: Now,
    ) -> Result<MessageId, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(true, move |to| outbox::by_hand(to, &event, &message, now)).await
            }
        }
    }

    /// After a start: releases all claimed messages and spreads overdue retries over `spread`.
    /// Returns the number of messages that were being sent when the program ended.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn recover_messages(&self, now: Now, spread: Duration) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::recover(to, now, spread)).await,
        }
    }

    /// Stores how far the wall clock is ahead of the outbox's clock. The next start moves due times by this
    /// difference.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn keep_wall_ahead(&self, micros: i64) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::keep_wall_ahead(to, micros)).await,
        }
    }

    /// Claims due messages.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn claim_due(&self, claim: LaneClaim) -> Result<Due, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::claim(to, &claim)).await,
        }
    }

    /// The times and numbers of requests since `since`, for a subscription with a rate.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn rate_marks(
        &self,
        target: String,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, u32)>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| outbox::marks(from, &target, since)).await,
        }
    }

    /// Appends attempts and writes their results, in one transaction.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn settle(&self, settlements: std::sync::Arc<Vec<Settlement>>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::settle(to, &settlements)).await,
        }
    }

    /// Messages that match, newest first, before the position `before`; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn messages(
        &self,
        filter: MessageFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let rows = sqlite.read(move |from| outbox::list(from, &filter, before, limit)).await?;
                Ok(rows.into_iter().map(|row| sqlite.by_the_wall_clock(row)).collect())
            }
        }
    }

    /// One message with its event and its attempts.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let found = sqlite
                    .read(move |from| {
                        let Some((row, event)) = outbox::one(from, id)? else { return Ok(None) };
                        let attempts = outbox::attempts(from, row.seq)?;
                        Ok(Some(StoredMessage { row, event, attempts }))
                    })
                    .await?;
                Ok(found.map(|found| StoredMessage { row: sqlite.by_the_wall_clock(found.row), ..found }))
            }
        }
    }

    /// The subscription that last sent this message, with the chain of subscriptions that led to it, ending with its
    /// own. `None` if the message is not one of ours.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn made_by(&self, id: MessageId) -> Result<Option<(String, Vec<String>)>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| outbox::made_by(from, id)).await,
        }
    }

    /// Dead letters that match, newest first, before the position `before`; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn dead_letters(
        &self,
        filter: DeadLetterFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.read(move |from| outbox::letters(from, &filter, before, limit)).await
            }
        }
    }

    /// Dead letters without a notice yet, by subscription; dead letters of `own_events` are not counted.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn untold_dead_letters(
        &self,
        own_events: &'static [&'static str],
    ) -> Result<Vec<Told>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| outbox::untold(from, own_events)).await,
        }
    }

    /// Publishes the notice of dead letters and records it, in one transaction.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn tell_dead_letters(
        &self,
        told: Told,
        notice: Option<(OutgoingEvent, Vec<NewMessage>)>,
        now: Now,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite
                    .write(false, move |to| {
                        if let Some((event, messages)) = &notice {
                            outbox::publish(to, event, [0; 32], messages, now)?;
                        }
                        outbox::tell(to, &told.subscription, told.through)
                    })
                    .await
            }
        }
    }

    /// The figures of every subscription that exists or ever sent a message.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn sender_figures(&self) -> Result<Vec<SenderFigures>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(outbox::figures).await,
        }
    }

    /// Stores a health check of an endpoint.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn add_health(&self, check: HealthCheck) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::add_health(to, &check)).await,
        }
    }

    /// The last health checks of an endpoint, newest first; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn health(&self, subscription: String, limit: usize) -> Result<Vec<HealthCheck>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| outbox::health(from, &subscription, limit)).await,
        }
    }
}

#[cfg(test)]
mod tests;
