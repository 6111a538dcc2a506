//! A query for deliveries: conditions, joined by and, or, not.

use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;

use super::{DeliveryId, Reason, Timestamp, Verdict};

/// A condition that a delivery must meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Every part must match; an empty list matches everything.
    All(Vec<Self>),
    /// One part must match; an empty list matches nothing.
    Any(Vec<Self>),
    /// The part must not match.
    Not(Box<Self>),
    /// The condition must match.
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
    /// The rejection reason.
    Reason(Reason),
    /// The event type, canonical or as sent.
    EventType(Pattern),
    /// The event id.
    EventId(Pattern),
    /// The entity of the event.
    Entity(Pattern),
    /// The event id in a rejected body, which nobody verified.
    UnverifiedId(Pattern),
    /// The device in a rejected body, which nobody verified.
    UnverifiedDevice(Pattern),
    /// The user that the body names, at `/user/id`.
    User(Pattern),
    /// The method.
    Method(Pattern),
    /// Path and query.
    Path(Pattern),
    /// The response status.
    Status(RangeInclusive<u16>),
    /// Bytes of the body.
    Size(RangeInclusive<u64>),
    /// Microseconds until the response.
    Duration(RangeInclusive<u64>),
    /// The client's address.
    ClientIp(IpNet),
    /// Received at this moment or later.
    From(Moment),
    /// Received before this moment.
    To(Moment),
    /// A header with that name whose value contains this text; without a text, any value.
    Header {
        /// The name, ignoring case.
        name: String,
        /// The text, ignoring case.
        text: Option<String>,
    },
    /// The code of its cause.
    Cause(Pattern),
    /// Whether it is pinned.
    Pinned(bool),
    /// One of its tags.
    Tag(Pattern),
    /// Text in its note, ignoring case.
    Note(String),
    /// Text in the body, ignoring case.
    Body(String),
    /// Text in the request line, the event's fields, a header or the body, ignoring case.
    Anywhere(String),
}

/// A moment, fixed or relative to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// This instant.
    At(Timestamp),
    /// This long before the query runs.
    Ago(Duration),
}

impl Moment {
    /// The instant, relative to `now`.
    #[must_use]
    pub fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(instant) => instant,
            Self::Ago(ago) => now.minus(ago),
        }
    }
}

/// Text in which a star matches any text, including none. Case matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The text between the stars; a single piece means that there is no star.
    pieces: Vec<String>,
}

impl Pattern {
    /// Exactly this text, with stars taken literally.
    #[must_use]
    pub fn exactly(text: impl Into<String>) -> Self {
        Self { pieces: vec![text.into()] }
    }

    /// Parses a pattern.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self { pieces: text.split('*').map(str::to_owned).collect() }
    }

    /// The text, if there is no star.
    #[must_use]
    pub fn as_exact(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The text between the stars.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// The text before the first star.
    #[must_use]
    pub fn start(&self) -> &str {
        self.pieces.first().map(String::as_str).unwrap_or_default()
    }

    /// Whether `text` matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return text == first };
        let between = text.strip_prefix(first.as_str()).and_then(|text| text.strip_suffix(last.as_str()));
        // The first place of each piece leaves the most for the others.
        between.is_some_and(|between| {
            let mut left = Some(between);
            for piece in middle {
                left = left.and_then(|left| left.split_once(piece.as_str())).map(|(_, after)| after);
            }
            left.is_some()
        })
    }

    /// Whether its only star is at the end.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        matches!(self.pieces.as_slice(), [_, end] if end.is_empty())
    }
}

impl Query {
    /// The query that matches everything.
    #[must_use]
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Whether it matches everything in any log.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(all) if all.iter().all(Self::is_everything))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_text_and_none() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*b*", "abc", true),
            ("a*b*b", "ab", false),
            ("a*b*b", "abb", true),
            ("**", "", true),
            ("", "a", false),
            ("*ab*ab*", "aabab", true),
        ] {
            assert_eq!(Pattern::parse(pattern).matches(text), expected, "{pattern} {text}");
        }
        assert!(Pattern::exactly("a*").matches("a*") && !Pattern::exactly("a*").matches("ab"));
    }
}
