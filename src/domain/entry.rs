//! The decision about a delivery, on its way to the store and back.

use std::time::{Duration, Instant};

use super::{Check, Claim, Delivery, DeliveryId, EventFacts, Reason, Timestamp, Unverified, Verdict};

/// The decision of the checks before the store.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Passed; the claim, if any, decides between accepted, duplicate and conflict.
    Accept(Option<Claim>),
    /// Rejected.
    Reject(Reason),
    /// Stored without checks; the response has this status.
    Capture(u16),
    /// A platform's question before it sends; the response has this status.
    Handshake(u16),
    /// Another instance decided.
    Import(Imported),
}

/// What another instance decided about a delivery.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason of a rejection.
    pub reason: Option<Reason>,
    /// The status of the response.
    pub status: u16,
    /// The time from the complete head to the moment of writing.
    pub duration: Duration,
    /// The first delivery of the same event.
    pub duplicate_of: Option<DeliveryId>,
}

/// One row on its way to the store.
#[derive(Debug)]
pub struct Entry {
    /// The request, credentials masked.
    pub delivery: Delivery,
    /// What was read about the event, as far as the checks got.
    pub facts: EventFacts,
    /// What the unread body of a rejected delivery says about its event.
    pub unverified: Unverified,
    /// Seven checks in the order of the gates; none for captures. The check of a claim is `Pass`; the store adds the
    /// result of the claim.
    pub checks: Vec<Check>,
    /// The decision.
    pub decision: Decision,
    /// When the request's head was complete; the row's `duration_us` counts from here to the moment of writing.
    pub started: Instant,
}

/// The result of storing an entry, once it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Written; a claim, if any, is now ours.
    New,
    /// Written as a duplicate.
    Duplicate {
        /// The accepted delivery.
        first: DeliveryId,
        /// When the accepted delivery was received.
        first_received_at: Timestamp,
    },
    /// Written as rejected, `id_conflict`: the same id with another body.
    Conflict {
        /// The accepted delivery.
        first: DeliveryId,
        /// When the accepted delivery was received.
        first_received_at: Timestamp,
    },
}
