//! Which deliveries a list or a stream shows.

use ipnet::IpNet;

use super::{Reason, Timestamp, Verdict};

/// Conditions on deliveries; all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Exactly this source.
    pub source: Option<String>,
    /// This verdict.
    pub verdict: Option<Verdict>,
    /// This reason.
    pub reason: Option<Reason>,
    /// Exactly this event type, canonical or as sent.
    pub event_type: Option<String>,
    /// Exactly this event id.
    pub event_id: Option<String>,
    /// Exactly this entity.
    pub entity: Option<String>,
    /// Exactly this method.
    pub method: Option<String>,
    /// This status.
    pub status: Option<u16>,
    /// A client address in this range (a single address is a /32 or /128).
    pub client_ip: Option<IpNet>,
    /// Text that occurs in the path, the event's type or id, the entity, a header or the body.
    pub q: Option<String>,
    /// Received at this instant or later.
    pub from: Option<Timestamp>,
    /// Received before this instant.
    pub to: Option<Timestamp>,
}
