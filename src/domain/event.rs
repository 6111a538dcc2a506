//! The event in a delivery, and the claim that keeps an event from being accepted twice.

use std::time::Duration;

/// What was read about the event in a delivery, as far as the checks got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFacts {
    /// The canonical name, with aliases resolved.
    pub event_type: Option<String>,
    /// The name as sent, if it differs from `event_type`.
    pub event_name: Option<String>,
    /// The event id as text; an integer as its exact digits.
    pub event_id: Option<String>,
    /// The entity of the event, usually a device id.
    pub entity: Option<String>,
}

/// The key that makes two deliveries of one source the same event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClaimKey {
    /// The event id, with its scope.
    Id(String),
    /// SHA-256 over the sorted ids of a batch, or of TagoIO data points and their path below the source. The body does
    /// not matter.
    Points([u8; 32]),
    /// SHA-256 over the contents of TagoIO data points, without their ids.
    Values([u8; 32]),
    /// SHA-256 of the body: only the bytes matter.
    Body([u8; 32]),
}

/// A delivery's claim on an event: the first one stored gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key, unique within the source.
    pub key: ClaimKey,
    /// Another key of the same event. A delivery that owns either key owns the event.
    pub also: Option<ClaimKey>,
    /// SHA-256 of the wire body. With `ClaimKey::Id`, a different digest is a conflict; other keys ignore it.
    pub body_digest: [u8; 32],
    /// How long the claim lasts, if shorter than `keep_event_ids`.
    pub window: Option<Duration>,
}
