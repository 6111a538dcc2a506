//! A question about deliveries: conditions, joined by and, or, not.

use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;

use super::{DeliveryId, Reason, Timestamp, Verdict};

/// What a delivery must be to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Each of these holds; none: everything is found.
    All(Vec<Self>),
    /// One of these holds; none: nothing is found.
    Any(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// This holds.
    Is(Condition),
}

/// One condition on a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// One of these deliveries.
    Delivery(Vec<DeliveryId>),
    /// The source.
    Source(Pattern),
    /// The verdict.
    Verdict(Verdict),
    /// Why it was refused.
    Reason(Reason),
    /// The event type, canonical or as sent.
    EventType(Pattern),
    /// The event id.
    EventId(Pattern),
    /// What the event is about.
    Entity(Pattern),
    /// The method.
    Method(Pattern),
    /// Path and query.
    Path(Pattern),
    /// The status that was answered.
    Status(RangeInclusive<u16>),
    /// Bytes of the body.
    Size(RangeInclusive<u64>),
    /// Microseconds until the answer.
    Duration(RangeInclusive<u64>),
    /// The client's address.
    ClientIp(IpNet),
    /// Received at this moment or later.
    From(Moment),
    /// Received before this moment.
    To(Moment),
    /// A header of that name whose value has this text in it; without text, any.
    Header {
        /// The name, in any case.
        name: String,
        /// The text, in any case.
        text: Option<String>,
    },
    /// The short name of why it was refused or repeated.
    Cause(Pattern),
    /// Whether it is pinned.
    Pinned(bool),
    /// One of its tags.
    Tag(Pattern),
    /// Text that occurs in its note, in any case.
    Note(String),
    /// Text that occurs in the body, in any case.
    Body(String),
    /// Text that occurs in the request line, in what is known of the event, in a header or in the body, in any case.
    Anywhere(String),
}

/// A moment, fixed or counted from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// This instant.
    At(Timestamp),
    /// So long before the question is asked.
    Ago(Duration),
}

impl Moment {
    /// The instant, where it is `now`.
    #[must_use]
    pub fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(instant) => instant,
            Self::Ago(ago) => now.minus(ago),
        }
    }
}

/// Text in which a star stands for any text, none included. Case matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What stands between the stars; one piece: there is no star.
    pieces: Vec<String>,
}

impl Pattern {
    /// Exactly this text, stars included.
    #[must_use]
    pub fn exactly(text: impl Into<String>) -> Self {
        Self { pieces: vec![text.into()] }
    }

    /// The pattern that `text` spells.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self { pieces: text.split('*').map(str::to_owned).collect() }
    }

    /// The text, where there is no star.
    #[must_use]
    pub fn as_exact(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// What stands between the stars.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// The text before the first star.
    #[must_use]
    pub fn start(&self) -> &str {
        self.pieces.first().map(String::as_str).unwrap_or_default()
    }

    /// Whether the one star is at the end.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        matches!(self.pieces.as_slice(), [_, end] if end.is_empty())
    }
}

impl Query {
    /// The query that finds everything.
    #[must_use]
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Whether it finds everything whatever there is.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(all) if all.iter().all(Self::is_everything))
    }
}
