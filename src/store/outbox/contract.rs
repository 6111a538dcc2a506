//! What every store promises about the outbox.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{DeadLetter, MessageFilter, MessageId, MessageRow, Now, OutgoingEvent, Timestamp};
use crate::store::{
    DeadLetterFilter, Due, FanOut, HealthCheck, LaneClaim, LetterGroup, LoggedDelivery, NewMessage,
    ParkedRecord, Published, PublishedType, SenderFigures, Settlement, StoreError, StoredMessage,
    SubscriptionRecord, UnreportedLetters,
};

/// Subscriptions.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Subscriptions: Send + Sync {
    /// Every subscription, the oldest first.
    async fn subscriptions(&self) -> Result<Vec<SubscriptionRecord>, StoreError>;

    /// Puts a subscription in force and returns its stored form. A subscription that is new, enabled again or no
    /// longer parked gets only later events.
    async fn put_subscription(&self, record: SubscriptionRecord) -> Result<SubscriptionRecord, StoreError>;

    /// Disables a subscription automatically; `false` if it was already disabled or does not exist.
    async fn disable_subscription(
        &self,
        id: String,
        reason: &'static str,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Takes a subscription out of force but keeps it; its waiting messages are parked. `None` if it does not exist.
    async fn park_subscription(&self, id: String, now: Timestamp)
    -> Result<Option<ParkedRecord>, StoreError>;

    /// The number of messages of a subscription that wait or are being sent; counts up to 100,000.
    async fn waiting_messages(&self, id: String) -> Result<u64, StoreError>;

    /// Removes a subscription and cancels its messages. Returns the number of cancelled messages; `None` if the
    /// subscription does not exist.
    async fn delete_subscription(&self, id: String, now: Timestamp) -> Result<Option<u64>, StoreError>;
}

/// From deliveries and published events to messages.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait FanningOut: Send + Sync {
    /// How far the log has been fanned out.
    async fn fanout_cursor(&self) -> Result<i64, StoreError>;

    /// Accepted deliveries after `after`, oldest first, and the position through which the log was read.
    /// At most `limit` deliveries and about `bytes` of bodies.
    async fn unfanned(
        &self,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<LoggedDelivery>, i64), StoreError>;

    /// Writes the messages of a fan-out and moves its cursor, in one transaction. Returns the number of messages
    /// created; `None`, with nothing written, if the cursor has moved in the meantime, or another node changed
    /// subscriptions.
    async fn fan_out(&self, fan_out: FanOut, now: Now) -> Result<Option<u32>, StoreError>;

    /// Publishes one of our own events with its messages; `posted` is the digest of the posted body.
    async fn publish(
        &self,
        event: OutgoingEvent,
        posted: [u8; 32],
        messages: Vec<NewMessage>,
        now: Now,
    ) -> Result<Published, StoreError>;

    /// The published event with this id.
    async fn published_event(&self, event_id: String) -> Result<Option<OutgoingEvent>, StoreError>;

    /// The types of published events that are stored.
    async fn published_types(&self) -> Result<Vec<PublishedType>, StoreError>;

    /// Creates one message that was requested by hand, regardless of earlier messages.
    async fn message_by_hand(
        &self,
        event: OutgoingEvent,
        message: NewMessage,
        now: Now,
    ) -> Result<MessageId, StoreError>;
}

/// What a sender claims and what became of it.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Sending: Send + Sync {
    /// After a start: releases all claimed messages and spreads overdue retries over `spread`.
    /// Returns the number of released messages. Claims that only a process knew ended with it and do not count.
    async fn recover_messages(&self, now: Now, spread: Duration) -> Result<usize, StoreError>;

    /// Stores how far the wall clock is ahead of the outbox's clock. The next start moves due times by this
    /// difference.
    async fn keep_wall_ahead(&self, micros: i64) -> Result<(), StoreError>;

    /// Claims due messages.
    async fn claim_due(&self, claim: LaneClaim) -> Result<Due, StoreError>;

    /// The times and numbers of requests since `since`, for a subscription with a rate.
    async fn rate_marks(&self, target: String, since: Timestamp)
    -> Result<Vec<(Timestamp, u32)>, StoreError>;

    /// Appends attempts and writes their results, in one transaction.
    async fn settle(&self, settlements: std::sync::Arc<Vec<Settlement>>) -> Result<(), StoreError>;
}

/// Messages as they are shown.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Messages that match, newest first, before the position `before`; at most `limit`.
    async fn messages(
        &self,
        filter: MessageFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError>;

    /// One message with its event and its attempts.
    async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, StoreError>;

    /// The subscription that last sent this message, with the chain of subscriptions that led to it, ending with its
    /// own. `None` if the message is not one of ours.
    async fn made_by(&self, id: MessageId) -> Result<Option<(String, Vec<String>)>, StoreError>;
}

/// Dead letters: their notices, replay and discard.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Dead letters that match, newest first, before the position `before`; at most `limit`.
    async fn dead_letters(
        &self,
        filter: DeadLetterFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// Dead letters without a notice yet, by subscription; dead letters of `own_events` are not counted.
    async fn unreported_dead_letters(
        &self,
        own_events: &'static [&'static str],
    ) -> Result<Vec<UnreportedLetters>, StoreError>;

    /// Publishes the notice of dead letters and records it, in one transaction.
    async fn report_dead_letters(
        &self,
        letters: UnreportedLetters,
        notice: Option<(OutgoingEvent, Vec<NewMessage>)>,
        now: Now,
    ) -> Result<(), StoreError>;

    /// Replays matching dead letters, the oldest first, at most `limit`. Those whose subscription is not in force do
    /// not change.
    /// Returns each message with its subscription.
    async fn replay_dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
        now: Now,
    ) -> Result<Vec<(MessageId, String)>, StoreError>;

    /// Matching dead letters that cannot be replayed because their subscription is not in force, counted per
    /// subscription.
    async fn stranded_dead_letters(&self, filter: DeadLetterFilter)
    -> Result<Vec<(String, u64)>, StoreError>;

    /// Dead letters that match, by subscription and error, those that died last first; at most `limit` groups.
    async fn dead_letter_groups(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<LetterGroup>, StoreError>;

    /// Discards dead letters that match, the oldest first, at most `limit`; their messages stay dead. Returns how many.
    async fn discard_dead_letters(&self, filter: DeadLetterFilter, limit: usize)
    -> Result<usize, StoreError>;

    /// When the oldest dead letter failed.
    async fn oldest_dead_letter(&self) -> Result<Option<Timestamp>, StoreError>;
}

/// Figures of attempts, and health checks of endpoints.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Health: Send + Sync {
    /// The figures of every subscription that exists or ever sent a message.
    async fn sender_figures(&self) -> Result<Vec<SenderFigures>, StoreError>;

    /// Stores a health check of an endpoint.
    async fn add_health(&self, check: HealthCheck) -> Result<(), StoreError>;

    /// The last health checks of an endpoint, newest first; at most `limit`.
    async fn health(&self, subscription: String, limit: usize) -> Result<Vec<HealthCheck>, StoreError>;
}
