//! A delivery: one HTTP request as it arrived, with unchanged bytes.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

use super::{Cause, Check, DeliveryId, Headers, Marks, Reason, Timestamp, Transfer, Unverified, Verdict};

/// A request as received, with credentials in clear. It exists until the checks are done and is never stored.
#[derive(Debug)]
pub struct Arrival {
    /// The id of the delivery it becomes.
    pub id: DeliveryId,
    /// When its head was complete.
    pub received_at: Timestamp,
    /// The method, as sent.
    pub method: String,
    /// Path and query as on the request line.
    pub target: String,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub http_version: &'static str,
    /// Who sent it.
    pub client: ClientAddress,
    /// The connection it arrived on.
    pub connection: Connection,
    /// The header lines.
    pub headers: Headers,
    /// The body as on the wire (chunk framing removed, content encoding kept), up to the size limit.
    pub body: Bytes,
    /// How reading the body ended.
    pub body_end: BodyEnd,
    /// Further observations on the connection.
    pub transfer: Transfer,
}

/// Who sent a request, and how we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    /// The client's address, in canonical form: a mapped IPv4 address is IPv4.
    pub ip: IpAddr,
    /// The address at the other end of the connection, in canonical form.
    pub peer: IpAddr,
    /// How `ip` was determined, as one sentence for the operator.
    pub explanation: String,
}

/// The connection of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The client's port, if there is one.
    pub port: Option<u16>,
    /// The number of deliveries on it, including this one; 0 if they were not counted.
    pub deliveries: u32,
}

impl ClientAddress {
    /// The start of the explanation if a trusted proxy does not name its client: `ip` is then the proxy's own.
    pub const UNNAMED: &str = "a trusted proxy that names no client";

    /// Whether a trusted proxy did not name its client.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.explanation.starts_with(Self::UNNAMED)
    }

    /// Whether the sender is unknown.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.ip.is_unspecified()
    }
}

/// How reading a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// The body is complete.
    Complete,
    /// Cut at `max_body`: the body was longer.
    CutAtCap,
    /// Cut at `body_timeout`.
    TimedOut,
    /// The client disconnected or broke the framing.
    Broken,
}

impl BodyEnd {
    /// Every variant.
    pub const ALL: [Self; 4] = [Self::Complete, Self::CutAtCap, Self::TimedOut, Self::Broken];

    /// Its name in the API's `body_end` and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::CutAtCap => "cut_at_cap",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken",
        }
    }
}

/// A stored delivery: unchanged bytes, received credentials masked.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The source name in the URL, even if no such source exists; `webhook-test` for captures.
    pub source: String,
    /// When its head was complete.
    pub received_at: Timestamp,
    /// The method.
    pub method: String,
    /// Path and query as on the request line, secret query values masked.
    pub path: String,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub http_version: String,
    /// Who sent it.
    pub client: ClientAddress,
    /// The connection it arrived on.
    pub connection: Connection,
    /// Header lines in wire order, credential values masked.
    pub headers: Headers,
    /// The exact body on the wire.
    pub body: Bytes,
    /// How reading the body ended.
    pub body_end: BodyEnd,
}

/// The row of a delivery in lists and in the live stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its position in the log: grows with every commit and is never reused. It is the cursor of lists and streams.
    pub seq: i64,
    /// The delivery's id.
    pub id: DeliveryId,
    /// The source in the URL.
    pub source: String,
    /// When its head was complete.
    pub received_at: Timestamp,
    /// The method.
    pub method: String,
    /// Path and query, secret query values masked.
    pub path: String,
    /// The client's address.
    pub client_ip: IpAddr,
    /// The canonical event type.
    pub event_type: Option<String>,
    /// The event name as sent, if it differs.
    pub event_name: Option<String>,
    /// The event id.
    pub event_id: Option<String>,
    /// The entity of the event.
    pub entity: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// The rejection reason.
    pub reason: Option<Reason>,
    /// The response status.
    pub status: u16,
    /// The number of body bytes read from the wire.
    pub size_bytes: u64,
    /// Microseconds from the complete head to the moment of writing.
    pub duration_us: u64,
    /// The first delivery of the same event, for duplicates and conflicts.
    pub duplicate_of: Option<DeliveryId>,
    /// Its pin, note and tags.
    pub marks: Marks,
    /// The cause of the rejection or duplicate, if known.
    pub cause: Option<Cause>,
    /// What its unverified body says about the event.
    pub unverified: Unverified,
}

/// Everything stored about a delivery.
#[derive(Clone, Debug)]
pub struct StoredDelivery {
    /// The list row.
    pub row: DeliveryRow,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub http_version: String,
    /// Who sent it.
    pub client: ClientAddress,
    /// The connection it arrived on.
    pub connection: Connection,
    /// When its client closed its side of the connection, measured from the head, if that was before our response.
    pub hung_up: Option<Duration>,
    /// Header lines in wire order, credential values masked.
    pub headers: Headers,
    /// The exact body on the wire.
    pub body: Bytes,
    /// How reading the body ended.
    pub body_end: BodyEnd,
    /// The gates' findings; empty for captures.
    pub checks: Vec<Check>,
    /// The node that took it, where several may share the store.
    pub node: Option<String>,
}
