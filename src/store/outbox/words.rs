//! What is said to the outbox and what it answers.

use std::time::Duration;

use bytes::Bytes;

use crate::domain::{
    Attempt, ClaimedMessage, DeliveryRow, Headers, MessageId, MessageRow, Now, OutgoingEvent,
    SubscriptionOrigin, Timestamp,
};

/// A subscription as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRecord {
    /// Its id.
    pub id: String,
    /// Where it was configured.
    pub origin: SubscriptionOrigin,
    /// JSON, secrets sealed.
    pub document: String,
    /// Whether it takes events.
    pub enabled: bool,
    /// Why it was disabled by itself.
    pub disabled_reason: Option<String>,
    /// When it was first put.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Deliveries after this position are its own.
    pub since: i64,
    /// Since when it is not in force; what waits for it is parked.
    pub parked_since: Option<Timestamp>,
}

/// What parking a subscription found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParkedRecord {
    /// Since when it is not in force: now, or longer.
    pub since: Timestamp,
    /// Its messages that wait or are being sent; up to 100,000 are counted.
    pub waiting: u64,
}

/// An accepted delivery as the fan-out reads it.
#[derive(Clone, Debug)]
pub struct FannedDelivery {
    /// Its row.
    pub row: DeliveryRow,
    /// Its header lines, credentials masked.
    pub headers: Headers,
    /// The wire body.
    pub body: Bytes,
}

/// One subscription that an event goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// The subscription.
    pub subscription: String,
    /// What it is about, where messages about one thing go in order.
    pub in_order: Option<String>,
}

/// What the fan-out made of some deliveries.
#[derive(Clone, Debug)]
pub struct FanOut {
    /// The cursor from which it read; where it has moved meanwhile, nothing is written.
    pub from: i64,
    /// The cursor after it.
    pub through: i64,
    /// Each event with the subscriptions it goes to.
    pub events: Vec<(OutgoingEvent, Vec<NewMessage>)>,
}

/// What became of a published event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is new and led to so many messages.
    New(u32),
    /// The same id and body were published before.
    Again,
    /// The same id was published before, with another body.
    Conflict,
}

/// One subscription through which messages may be claimed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The subscription.
    pub target: String,
    /// At most so many messages.
    pub limit: u32,
    /// With batches: when there is enough for one.
    pub batch: Option<LaneBatch>,
    /// Whether messages about one thing go one after the other.
    pub ordered: bool,
    /// With a rate: the length of its window, in which requests are remembered.
    pub window: Option<Duration>,
    /// Until when the messages are ours; longer than an attempt may take.
    pub lease_until: Timestamp,
}

/// When there is enough for a batch: so many messages, so many bytes of events, or the oldest has waited so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneBatch {
    /// So many messages.
    pub size: u32,
    /// So many bytes of events; no more than that is claimed, the last event excepted.
    pub bytes: usize,
    /// So long.
    pub flush: Duration,
}

/// A claim on due messages.
#[derive(Clone, Debug)]
pub struct LaneClaim {
    /// Through which subscriptions.
    pub lanes: Vec<Lane>,
    /// Now.
    pub now: Timestamp,
    /// Leases that ended before this instant have run out.
    pub leases_ended: Timestamp,
}

/// What a claim brought.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// The messages, in the order in which they are to be sent.
    pub messages: Vec<ClaimedMessage>,
    /// Of lanes of which everything due was taken: until when nothing more is due in them.
    pub rests: Vec<(String, Timestamp)>,
    /// Whether a lease had run out: then something may be due in any lane.
    pub has_freed: bool,
}

/// What an attempt led to.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The message.
    pub seq: i64,
    /// Its id.
    pub id: MessageId,
    /// Its subscription.
    pub subscription: String,
    /// The attempt; `None` where none was made.
    pub attempt: Option<Attempt>,
    /// What comes now.
    pub next: Next,
    /// When this was decided.
    pub at: Now,
}

/// What comes after an attempt.
#[derive(Clone, Debug)]
pub enum Next {
    /// It was delivered.
    Delivered,
    /// Again, not before.
    Retry(Timestamp),
    /// The batch was too large: again, in a smaller one. The attempt is kept and does not count.
    Smaller(Timestamp),
    /// The fallback is tried from now on.
    Fallback {
        /// Through this subscription.
        target: String,
        /// Why the primary failed.
        primary_error: String,
        /// What it is about, where the fallback sends in order.
        in_order: Option<String>,
    },
    /// Its subscription is not in force: the message is cancelled where that was deleted, and waits where it is kept.
    Cancelled,
    /// It waits for a person.
    Dead {
        /// Where it was to go.
        url: String,
        /// What was sent, or would have been.
        payload: Bytes,
        /// Why.
        error: String,
        /// Why the primary failed, where a fallback was tried.
        primary_error: Option<String>,
        /// Why the fallback failed.
        fallback_error: Option<String>,
    },
}

/// A message with all that is kept of it.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    /// Its row.
    pub row: MessageRow,
    /// The event that it carries.
    pub event: OutgoingEvent,
    /// Its attempts, the first one first.
    pub attempts: Vec<Attempt>,
}

/// Which dead letters are meant; all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// This one.
    pub id: Option<MessageId>,
    /// Of this subscription.
    pub subscription: Option<String>,
    /// Of this event.
    pub event_id: Option<String>,
    /// Of this event type.
    pub event_type: Option<String>,
    /// Dead since this instant or later.
    pub from: Option<Timestamp>,
    /// Dead before this instant.
    pub to: Option<Timestamp>,
    /// Whose error holds this text.
    pub error: Option<String>,
}

/// Dead letters of one subscription that nobody was told of yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The subscription.
    pub subscription: String,
    /// How many there are.
    pub count: u64,
    /// The first of them, at most 20.
    pub messages: Vec<MessageId>,
    /// The last error.
    pub error: String,
    /// The last one's position.
    pub through: i64,
}

/// Figures of one subscription's attempts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SenderFigures {
    /// The subscription.
    pub subscription: String,
    /// Attempts.
    pub attempts: u64,
    /// Attempts answered with 2xx.
    pub successful: u64,
    /// Attempts after a message's first.
    pub retries: u64,
    /// Attempts that got an answer.
    pub answered: u64,
    /// How long those took, together, in microseconds.
    pub answered_us: u64,
    /// Durations of answered attempts in microseconds, each within a hundredth, and how many took as long; ascending.
    pub durations: Vec<(f64, u64)>,
    /// The last success.
    pub last_success_at: Option<Timestamp>,
    /// The last failure.
    pub last_failure_at: Option<Timestamp>,
    /// Messages that wait for their next attempt.
    pub pending: u64,
    /// Messages that wait for the subscription to be in force again.
    pub parked: u64,
    /// Since when the subscription is not in force.
    pub parked_since: Option<Timestamp>,
    /// Dead letters.
    pub dead: u64,
}

/// One look at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// The subscription.
    pub subscription: String,
    /// `healthy`, `unhealthy` or `unreachable`.
    pub status: String,
    /// The status of the answer.
    pub response_code: Option<u16>,
    /// How long it took, in microseconds.
    pub response_us: Option<u64>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// When.
    pub checked_at: Timestamp,
}
