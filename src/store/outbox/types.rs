//! Request and response types of the outbox.

use std::time::Duration;

use bytes::Bytes;

use crate::domain::{
    Attempt, ClaimedMessage, MessageId, MessageRow, Now, OutgoingEvent, SubscriptionOrigin, Timestamp,
};

/// A stored subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRecord {
    /// Its id.
    pub id: String,
    /// Where it was configured.
    pub origin: SubscriptionOrigin,
    /// Its document as JSON, with sealed secrets.
    pub document: String,
    /// Whether it accepts events.
    pub enabled: bool,
    /// Why it was disabled automatically.
    pub disabled_reason: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// It gets deliveries after this position.
    pub since: i64,
    /// Since when it is not in force; its waiting messages are parked.
    pub parked_since: Option<Timestamp>,
}

/// The result of parking a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParkedRecord {
    /// Since when it is not in force: now, or earlier.
    pub since: Timestamp,
    /// Its messages that wait or are being sent; counts up to 100,000.
    pub waiting: u64,
}

/// One subscription that an event is sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// The subscription.
    pub subscription: String,
    /// The entity of the message, if messages of one entity are sent in order.
    pub in_order: Option<String>,
}

/// The messages that the fan-out created for some deliveries.
#[derive(Clone, Debug)]
pub struct FanOut {
    /// The revision of the subscriptions by which it was made (`News`). If they have changed since, nothing is written.
    pub revision: i64,
    /// The cursor from which it read. If the cursor has moved since, nothing is written.
    pub from: i64,
    /// The cursor after it.
    pub through: i64,
    /// Each event with the subscriptions it is sent to.
    pub events: Vec<(OutgoingEvent, Vec<NewMessage>)>,
}

/// The result of publishing an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The event is new and led to this many messages.
    New(u32),
    /// The same id and body were published before.
    Again,
    /// The same id was published before, with another body.
    Conflict,
}

/// A subscription whose messages may be claimed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The subscription.
    pub target: String,
    /// The most messages to claim.
    pub limit: u32,
    /// With batches: when a batch is ready.
    pub batch: Option<LaneBatch>,
    /// Whether messages about one entity are sent one after the other.
    pub ordered: bool,
    /// With a rate: what all nodes together may send.
    pub rate: Option<LaneRate>,
    /// When our lease on the messages ends; longer than an attempt may take.
    pub lease_until: Timestamp,
}

/// The rate of a lane. Where several nodes send, a claim gives no more than their requests together allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneRate {
    /// The most requests in a window.
    pub requests: u32,
    /// The length of the window, in which requests are remembered.
    pub window: Duration,
    /// A request reaches its endpoint at most this long after its claim.
    pub arrival: Duration,
}

/// When a batch is ready: at this number of messages, this many bytes of events, or this age of the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneBatch {
    /// The number of messages.
    pub size: u32,
    /// The bytes of events. A claim takes no more than this, except for its last event.
    pub bytes: usize,
    /// The longest time that the oldest message waits.
    pub flush: Duration,
}

/// A claim on due messages.
#[derive(Clone, Debug)]
pub struct LaneClaim {
    /// The subscriptions to claim from.
    pub lanes: Vec<Lane>,
    /// The current time.
    pub now: Timestamp,
    /// Leases that ended before this instant have expired.
    pub leases_ended: Timestamp,
    /// The revision of the subscriptions that the lanes are of (`News`). If they have changed since, nothing is claimed.
    pub revision: i64,
}

/// The result of a claim.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// The messages, in sending order.
    pub messages: Vec<ClaimedMessage>,
    /// For each lane with all its due messages claimed: the time before which nothing else is due.
    pub rests: Vec<(String, Timestamp)>,
    /// Whether a lease had expired; if so, any lane may have due messages.
    pub has_freed: bool,
    /// Whether nothing was claimed because another node changed subscriptions.
    pub is_outdated: bool,
}

/// The result of an attempt.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The message.
    pub seq: i64,
    /// Its id.
    pub id: MessageId,
    /// The number of its claim. If it has another one by now, it is somebody else's, and this changes nothing.
    pub claim: i64,
    /// Its subscription.
    pub subscription: String,
    /// The attempt; `None` if none was made.
    pub attempt: Option<Attempt>,
    /// The next step.
    pub next: Next,
    /// When this was decided.
    pub at: Now,
}

/// The step that follows an attempt.
#[derive(Clone, Debug)]
pub enum Next {
    /// It was delivered.
    Delivered,
    /// Retry, not before this time.
    Retry(Timestamp),
    /// The batch was too large: retry in a smaller one. The attempt is stored and does not count.
    Smaller(Timestamp),
    /// Use the fallback from now on.
    Fallback {
        /// The fallback subscription.
        target: String,
        /// Why the primary failed.
        primary_error: String,
        /// The entity of the message, if the fallback sends in order.
        in_order: Option<String>,
    },
    /// Its subscription is not in force. The message is cancelled if the subscription was deleted; otherwise it waits.
    Cancelled,
    /// The message needs manual action.
    Dead {
        /// The URL it was to be sent to.
        url: String,
        /// The payload that was sent, or would have been sent.
        payload: Bytes,
        /// The error.
        error: String,
        /// Why the primary failed, if a fallback was used.
        primary_error: Option<String>,
        /// Why the fallback failed.
        fallback_error: Option<String>,
    },
}

impl Next {
    /// Its name in traces.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry(_) => "retry",
            Self::Smaller(_) => "smaller_batch",
            Self::Fallback { .. } => "fallback",
            Self::Cancelled => "cancelled",
            Self::Dead { .. } => "dead",
        }
    }
}

/// A message with everything stored about it.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    /// Its row.
    pub row: MessageRow,
    /// The event it carries.
    pub event: OutgoingEvent,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

/// Selects dead letters; every field that is set must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// One of these; empty: any.
    pub ids: Vec<MessageId>,
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
    /// Whose error contains this text.
    pub error: Option<String>,
    /// Whose error is exactly this.
    pub error_is: Option<String>,
}

/// Dead letters of one subscription that died of the same error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterGroup {
    /// The subscription.
    pub subscription: String,
    /// The error.
    pub error: String,
    /// How many there are.
    pub count: u64,
    /// When the first of them died.
    pub since: Timestamp,
    /// When the last of them died.
    pub last: Timestamp,
}

/// Events of one type that were published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedType {
    /// The type.
    pub event_type: String,
    /// How many are stored.
    pub count: u64,
    /// When the last one was published.
    pub last: Timestamp,
}

/// Dead letters of one subscription without a notice yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreportedLetters {
    /// The subscription.
    pub subscription: String,
    /// Their number.
    pub count: u64,
    /// The first of them, at most 20.
    pub messages: Vec<MessageId>,
    /// The last error.
    pub error: String,
    /// The position of the last one.
    pub through: i64,
}

/// Figures of one subscription's attempts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SenderFigures {
    /// The subscription.
    pub subscription: String,
    /// Attempts.
    pub attempts: u64,
    /// Attempts with a 2xx response.
    pub successful: u64,
    /// Attempts after the first of a message.
    pub retries: u64,
    /// Attempts that got a response.
    pub answered: u64,
    /// The total duration of those attempts, in microseconds.
    pub answered_us: u64,
    /// Durations of answered attempts in microseconds, accurate to 1 %, each with its count; ascending.
    pub durations: Vec<(f64, u64)>,
    /// Whether each of the last attempts arrived, the newest first; at most ten.
    pub recent: Vec<bool>,
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

/// One health check of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// The subscription.
    pub subscription: String,
    /// `healthy`, `unhealthy` or `unreachable`.
    pub status: String,
    /// The response status.
    pub response_code: Option<u16>,
    /// The response time, in microseconds.
    pub response_us: Option<u64>,
    /// Why there was no response.
    pub error: Option<String>,
    /// When the check was made.
    pub checked_at: Timestamp,
}
