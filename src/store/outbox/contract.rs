//! What every store promises about the outbox.

use std::time::Duration;

use crate::domain::{DeadLetter, MessageFilter, MessageId, MessageRow, Now, OutgoingEvent, Timestamp};
use crate::store::sqlite::outbox;
use crate::store::{
    DeadLetterFilter, Due, FanOut, FannedDelivery, HealthCheck, LaneClaim, NewMessage, ParkedRecord,
    Published, SenderFigures, Settlement, Store, StoreError, StoredMessage, SubscriptionRecord, Told,
};

/// Every method fails with `Unavailable` where the store cannot be read or written, and those that write with `Full`
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

    /// Puts a subscription in force and returns it as it now is; one that is new, enabled again or no longer parked takes
    /// what comes from now on.
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

    /// Disables a subscription by itself; `false` where it was disabled or is gone.
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

    /// Takes a subscription out of force and keeps it: what waits for it is parked. `None` where there is none.
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

    /// How many messages of a subscription wait or are being sent; up to 100,000 are counted.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn waiting_messages(&self, id: String) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| outbox::waiting(from, &id)).await,
        }
    }

    /// Removes a subscription and cancels its messages; returns how many, `None` where there is no such subscription.
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

    /// Accepted deliveries after `after`, oldest first, at most `limit` and about `bytes` of bodies; and the position
    /// through which the log was looked at.
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
                // A short page was read to the end: all that was committed before the question was looked at.
                let weight: usize = found.iter().map(|delivery| delivery.body.len()).sum();
                let last = found.last().map_or(after, |delivery| delivery.row.seq);
                let is_page_full = found.len() >= limit || weight >= bytes;
                Ok((found, if is_page_full { last } else { last.max(newest) }))
            }
        }
    }

    /// Writes the messages of a fan-out and moves its cursor, in one transaction; returns how many were made, `None` where
    /// the cursor had moved meanwhile and nothing was written.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn fan_out(&self, fan_out: FanOut, now: Now) -> Result<Option<u32>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::fan_out(to, &fan_out, now)).await,
        }
    }

    /// Publishes an event of our own with its messages; `posted` is the digest of what was posted.
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

    /// The published event of that id.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn published_event(&self, event_id: String) -> Result<Option<OutgoingEvent>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| outbox::event_of(from, &event_id)).await,
        }
    }

    /// Makes one message that a person asked for, whatever was sent before.
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

    /// After a start: what was claimed is free again, and overdue retries are spread over `spread`. Returns how many
    /// messages were being sent when the program ended.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn recover_messages(&self, now: Now, spread: Duration) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::recover(to, now, spread)).await,
        }
    }

    /// Keeps by how much the wall clock is ahead of the clock by which the outbox is due: the next start moves what is due
    /// by that.
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

    /// When requests of a subscription with a rate were made since `since`, and how many.
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

    /// Appends attempts and writes what comes after them, all in one transaction.
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

    /// The subscription that sent this message last, with the subscriptions that led to it, its own the last one;
    /// `None` where it is no message of ours.
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

    /// Dead letters that nobody was told of yet, by subscription; those about `own_events` count for nothing.
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

    /// Publishes the notice of dead letters and remembers that it was given, in one transaction.
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

    /// The figures of every subscription that is there or ever sent.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn sender_figures(&self) -> Result<Vec<SenderFigures>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(outbox::figures).await,
        }
    }

    /// Keeps a look at an endpoint.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn add_health(&self, check: HealthCheck) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::add_health(to, &check)).await,
        }
    }

    /// The last looks at an endpoint, newest first; at most `limit`.
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
