//! What is decided about a delivery, on its way to the store and back.

use std::time::Instant;

use super::{Check, Claim, Delivery, DeliveryId, EventFacts, Reason, Timestamp, Unverified};

/// What the checks before the store decided.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Passed; the claim, if there is one, decides between accepted, duplicate and conflict.
    Accept(Option<Claim>),
    /// Refused.
    Reject(Reason),
    /// Kept without a judgement, answered with this status.
    Capture(u16),
    /// A platform's question before it sends, answered with this status.
    Handshake(u16),
}

/// One row on its way to the store.
#[derive(Debug)]
pub struct Entry {
    /// The request, credentials masked.
    pub delivery: Delivery,
    /// What was read of the event, as far as the checks came.
    pub facts: EventFacts,
    /// What a body that was refused unread says of its event.
    pub unverified: Unverified,
    /// Seven checks in the order of the gates; for captured deliveries none. A claim's check says `Pass`; the store
    /// remembers what became of the claim.
    pub checks: Vec<Check>,
    /// What to do.
    pub decision: Decision,
    /// When the request's head had been read; the row's `duration_us` counts from here to the moment of writing.
    pub started: Instant,
}

/// What the store made of an entry, after it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Written; a claim, if any, is now ours.
    New,
    /// Written as a duplicate.
    Duplicate {
        /// The delivery that was accepted.
        first: DeliveryId,
        /// When that one came.
        first_received_at: Timestamp,
    },
    /// Written as rejected, `id_conflict`: the same id with another body.
    Conflict {
        /// The delivery that was accepted.
        first: DeliveryId,
        /// When that one came.
        first_received_at: Timestamp,
    },
}
