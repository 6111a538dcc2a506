//! A message: one event on its way to one subscription.

use bytes::Bytes;

use super::{DeliveryId, MessageId, Timestamp};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageStatus {
    /// Waits for its next attempt.
    Pending,
    /// A worker holds it.
    Sending,
    /// An attempt was answered with 2xx.
    Delivered,
    /// Out of attempts; it is a dead letter until somebody replays or drops it.
    Dead,
    /// Somebody cancelled it, or deleted its subscription.
    Cancelled,
    /// Waits, and is not sent: its subscription is kept, but is not in force.
    Parked,
}

impl MessageStatus {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Sending, Self::Delivered, Self::Dead, Self::Cancelled, Self::Parked];

    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::Parked => "parked",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// An event as messages carry it: what was received or published, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingEvent {
    /// The source that accepted it; `published` for our own publisher.
    pub source: String,
    /// The event id, where there is one.
    pub event_id: Option<String>,
    /// The canonical event type.
    pub event_type: String,
    /// What it is about.
    pub entity: Option<String>,
    /// When it was received or published.
    pub received_at: Timestamp,
    /// The JSON, decoded from any content encoding.
    pub body: Bytes,
    /// The delivery that brought it.
    pub delivery: Option<DeliveryId>,
    /// The subscriptions whose messages led to it, oldest first: it is never fanned out to those again.
    pub lineage: Vec<String>,
}

/// A message, claimed for an attempt.
#[derive(Clone, Debug)]
pub struct ClaimedMessage {
    /// The position in the store.
    pub seq: i64,
    /// Its id over all attempts.
    pub id: MessageId,
    /// The subscription that it belongs to.
    pub subscription: String,
    /// The subscription through which it is sent now: its own, or the fallback.
    pub target: String,
    /// Attempts made so far.
    pub attempts: u32,
    /// Attempts made before the present round (a replay or the fallback begins one).
    pub attempts_before: u32,
    /// Why the primary failed, when the fallback is being tried.
    pub primary_error: Option<String>,
    /// What it carries.
    pub event: std::sync::Arc<OutgoingEvent>,
}

/// A message as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// The position in the store.
    pub seq: i64,
    /// The id.
    pub id: MessageId,
    /// The event's id.
    pub event_id: Option<String>,
    /// The event's type.
    pub event_type: String,
    /// The subscription.
    pub subscription: String,
    /// Through which subscription it is sent: its own, or the fallback.
    pub target: String,
    /// What became of it.
    pub status: MessageStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is tried next; `None` when it is not.
    pub next_attempt_at: Option<Timestamp>,
    /// Attempts so far.
    pub attempts: u32,
    /// When somebody last replayed it.
    pub replayed_at: Option<Timestamp>,
    /// The delivery that brought the event.
    pub delivery: Option<DeliveryId>,
}

/// Which messages a list shows; all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Of this subscription.
    pub subscription: Option<String>,
    /// About this event.
    pub event_id: Option<String>,
    /// With this status.
    pub status: Option<MessageStatus>,
}

/// A message that ran out of attempts and waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message.
    pub message: MessageRow,
    /// Where it was to go.
    pub url: String,
    /// What was last sent, or would have been: text exactly as on the wire.
    pub payload: Bytes,
    /// Why it died.
    pub error: String,
    /// Why the primary failed, where a fallback was tried.
    pub primary_error: Option<String>,
    /// Why the fallback failed.
    pub fallback_error: Option<String>,
    /// When it died.
    pub failed_at: Timestamp,
}
