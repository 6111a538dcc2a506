//! A delivery: one HTTP request as it arrived, bytes untouched.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

use super::{Cause, Check, DeliveryId, Headers, Marks, Reason, Timestamp, Transfer, Unverified, Verdict};

/// A request as it came, credentials in clear. It lives until the checks are done and is never stored.
#[derive(Debug)]
pub struct Arrival {
    /// The id of the delivery it becomes.
    pub id: DeliveryId,
    /// When its head had been read.
    pub received_at: Timestamp,
    /// The method, as sent.
    pub method: String,
    /// Path and query as on the request line.
    pub target: String,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub http_version: &'static str,
    /// Whose request it is.
    pub client: ClientAddress,
    /// The connection it arrived on.
    pub connection: Connection,
    /// The header lines.
    pub headers: Headers,
    /// The body as on the wire (chunk framing removed, content encoding kept), up to the cap.
    pub body: Bytes,
    /// How reading the body ended.
    pub body_end: BodyEnd,
    /// What the connection showed of it besides.
    pub transfer: Transfer,
}

/// Who sent a request, and why we believe so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    /// The client's address, in canonical form: a mapped IPv4 address is IPv4.
    pub ip: IpAddr,
    /// The address at the other end of the connection, in canonical form.
    pub peer: IpAddr,
    /// How `ip` was found, one sentence for the operator.
    pub explanation: String,
}

/// The connection that a request arrived on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The port at its other end, where there is one.
    pub port: Option<u16>,
    /// How many deliveries arrived on it, this one included; 0 where nobody counted.
    pub deliveries: u32,
}

impl ClientAddress {
    /// How the explanation begins where a trusted proxy does not name its client: `ip` is then the proxy's own.
    pub const UNNAMED: &str = "a trusted proxy that names no client";

    /// Whether a trusted proxy did not name its client.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.explanation.starts_with(Self::UNNAMED)
    }

    /// Whether nobody can tell who it is.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.ip.is_unspecified()
    }
}

/// How reading a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// All of it is there.
    Complete,
    /// Cut at `max_body`: there was more.
    CutAtCap,
    /// Cut at `body_timeout`.
    TimedOut,
    /// The client went away or broke the framing.
    Broken,
}

impl BodyEnd {
    /// Every end.
    pub const ALL: [Self; 4] = [Self::Complete, Self::CutAtCap, Self::TimedOut, Self::Broken];

    /// The word in the API's `body_end` and in the store.
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

/// A delivery as it is kept: bytes untouched, received credentials masked.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The source it was sent to: the name in the URL, also where no such source exists; `webhook-test` for captures.
    pub source: String,
    /// When its head had been read.
    pub received_at: Timestamp,
    /// The method.
    pub method: String,
    /// Path and query as on the request line, secret query values masked.
    pub path: String,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub http_version: String,
    /// Whose request it is.
    pub client: ClientAddress,
    /// The connection it arrived on.
    pub connection: Connection,
    /// Header lines in wire order, credential values masked.
    pub headers: Headers,
    /// The wire body, exactly.
    pub body: Bytes,
    /// How reading the body ended.
    pub body_end: BodyEnd,
}

/// The row of a delivery in lists and in the live stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Position in the log: grows with every commit, never used twice. The cursor of lists and streams.
    pub seq: i64,
    /// The delivery's id.
    pub id: DeliveryId,
    /// The source in the URL.
    pub source: String,
    /// When its head had been read.
    pub received_at: Timestamp,
    /// The method.
    pub method: String,
    /// Path and query, secret query values masked.
    pub path: String,
    /// The client's address.
    pub client_ip: IpAddr,
    /// The canonical event type.
    pub event_type: Option<String>,
    /// The name as sent, where it differs.
    pub event_name: Option<String>,
    /// The event id.
    pub event_id: Option<String>,
    /// What the event is about.
    pub entity: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it was refused.
    pub reason: Option<Reason>,
    /// The status answered.
    pub status: u16,
    /// Bytes of the wire body that were read.
    pub size_bytes: u64,
    /// Microseconds from the head to the moment of writing.
    pub duration_us: u64,
    /// The first delivery of the same event, on duplicates and conflicts.
    pub duplicate_of: Option<DeliveryId>,
    /// What people put on it.
    pub marks: Marks,
    /// Why it was refused or repeated, where that was found out.
    pub cause: Option<Cause>,
    /// What its body says of the event, where nobody checked it.
    pub unverified: Unverified,
}

/// Everything that is kept of a delivery.
#[derive(Clone, Debug)]
pub struct StoredDelivery {
    /// The list row.
    pub row: DeliveryRow,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub http_version: String,
    /// Whose request it is.
    pub client: ClientAddress,
    /// The connection it arrived on.
    pub connection: Connection,
    /// When its client closed its side of the connection, counted from the head, if that was before our response.
    pub hung_up: Option<Duration>,
    /// Header lines in wire order, credential values masked.
    pub headers: Headers,
    /// The wire body, exactly.
    pub body: Bytes,
    /// How reading the body ended.
    pub body_end: BodyEnd,
    /// The gates' findings; empty for captures.
    pub checks: Vec<Check>,
}
