//! What a delivery says, and the claim that keeps an event from being taken twice.

use std::time::Duration;

/// What was read of the event in a delivery, as far as the checks came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFacts {
    /// The canonical name: an alias is resolved.
    pub event_type: Option<String>,
    /// The name as it was sent, where it differs from `event_type`.
    pub event_name: Option<String>,
    /// The event id as text; an integer as its exact digits.
    pub event_id: Option<String>,
    /// What the event is about, usually a device id.
    pub entity: Option<String>,
}

/// What makes two deliveries of one source the same event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClaimKey {
    /// The event id, with what belongs to it.
    Id(String),
    /// SHA-256 over the sorted ids of a batch of events, or of TagoIO data points and their path below the source: these alone decide.
    Points([u8; 32]),
    /// SHA-256 over what TagoIO data points say, without their ids.
    Values([u8; 32]),
    /// SHA-256 of the body: the bytes alone decide.
    Body([u8; 32]),
}

/// A delivery's claim on an event: the first to be stored has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key, unique within the source.
    pub key: ClaimKey,
    /// Another key of the same event. Whoever has either of the two has the event.
    pub also: Option<ClaimKey>,
    /// SHA-256 of the wire body. Under `ClaimKey::Id` another digest is a conflict; other keys do not look at it.
    pub body_digest: [u8; 32],
    /// How long the claim holds where that is shorter than `keep_event_ids`.
    pub window: Option<Duration>,
}
