//! A message: one event on its way to one subscription.

use bytes::Bytes;

use super::{DeliveryId, MessageId, Timestamp};

/// The status of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageStatus {
    /// Waits for its next attempt.
    Pending,
    /// A worker is sending it.
    Sending,
    /// An attempt got a 2xx response.
    Delivered,
    /// Out of attempts: a dead letter until a user replays or drops it.
    Dead,
    /// A user cancelled it, or deleted its subscription.
    Cancelled,
    /// Waits without being sent: its subscription is stored but not in force.
    Parked,
}

impl MessageStatus {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Sending, Self::Delivered, Self::Dead, Self::Cancelled, Self::Parked];

    /// Its name in the API.
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

    /// The status with that API name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// The event in a message: what was received or published, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingEvent {
    /// The source that accepted it; `published` for our own publisher.
    pub source: String,
    /// The event id, if there is one.
    pub event_id: Option<String>,
    /// The canonical event type.
    pub event_type: String,
    /// The entity.
    pub entity: Option<String>,
    /// When it was received or published.
    pub received_at: Timestamp,
    /// The JSON, decoded from any content encoding.
    pub body: Bytes,
    /// The delivery that contained it.
    pub delivery: Option<DeliveryId>,
    /// The subscriptions whose messages led to it, oldest first: it is never sent to those again.
    pub lineage: Vec<String>,
}

/// A message, claimed for an attempt.
#[derive(Clone, Debug)]
pub struct ClaimedMessage {
    /// The position in the store.
    pub seq: i64,
    /// Its id over all attempts.
    pub id: MessageId,
    /// The subscription it belongs to.
    pub subscription: String,
    /// The subscription that sends it now: its own, or the fallback.
    pub target: String,
    /// Attempts made so far.
    pub attempts: u32,
    /// Attempts made before the current round (a replay or the fallback starts a new one).
    pub attempts_before: u32,
    /// Why the primary failed, if the fallback is used.
    pub primary_error: Option<String>,
    /// The number of this claim, where several nodes claim.
    pub claim: i64,
    /// Its event.
    pub event: std::sync::Arc<OutgoingEvent>,
}

/// A message in lists.
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
    /// The subscription that sends it: its own, or the fallback.
    pub target: String,
    /// Its status.
    pub status: MessageStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// When the next attempt is due; `None` if there is none.
    pub next_attempt_at: Option<Timestamp>,
    /// Attempts so far.
    pub attempts: u32,
    /// When a user last replayed it.
    pub replayed_at: Option<Timestamp>,
    /// The delivery that contained the event.
    pub delivery: Option<DeliveryId>,
}

/// Selects messages for a list; every field that is set must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Of this subscription.
    pub subscription: Option<String>,
    /// About this event.
    pub event_id: Option<String>,
    /// With this status.
    pub status: Option<MessageStatus>,
}

/// A message that ran out of attempts and needs manual action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message.
    pub message: MessageRow,
    /// The URL it was to be sent to.
    pub url: String,
    /// The payload that was last sent, or would have been: exactly as on the wire.
    pub payload: Bytes,
    /// The error.
    pub error: String,
    /// Why the primary failed, if a fallback was used.
    pub primary_error: Option<String>,
    /// Why the fallback failed.
    pub fallback_error: Option<String>,
    /// When it became a dead letter.
    pub failed_at: Timestamp,
}
