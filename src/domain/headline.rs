//! The result of a delivery in at most eight words: the same in lists, on pages, in exports and on the command line.

use std::borrow::Cow;

use super::{DeliveryRow, Reason, Verdict};

/// Why a delivery was rejected or was a duplicate, as found after it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// A short code, the same for all deliveries with the same cause.
    pub code: String,
    /// The cause in at most eight words.
    pub headline: String,
}

/// What the body of a rejected delivery says about its event. It is unverified and only displayed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unverified {
    /// The event's name.
    pub event: Option<String>,
    /// The event's id.
    pub id: Option<String>,
    /// The device.
    pub device: Option<String>,
    /// The device's name.
    pub device_name: Option<String>,
}

impl Unverified {
    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The device's name, or else its id.
    #[must_use]
    pub const fn called(&self) -> &Option<String> {
        if self.device_name.is_some() { &self.device_name } else { &self.device }
    }
}

impl DeliveryRow {
    /// Whether a closer cause than its reason or verdict may still be found.
    #[must_use]
    pub const fn awaits_cause(&self) -> bool {
        self.cause.is_none() && matches!(self.verdict, Verdict::Rejected | Verdict::Duplicate)
    }

    /// Its cause if known, otherwise the text for its reason or verdict.
    #[must_use]
    pub fn headline(&self) -> Cow<'_, str> {
        match (&self.cause, self.reason) {
            (Some(cause), _) => Cow::Borrowed(&cause.headline),
            (None, Some(reason)) => Cow::Borrowed(reason.headline()),
            (None, None) => Cow::Borrowed(self.verdict.headline()),
        }
    }
}

impl Verdict {
    /// The result of a delivery with this verdict.
    #[must_use]
    pub const fn headline(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Duplicate => "Duplicate of an accepted event",
            Self::Rejected => "Rejected",
            Self::Captured => "Captured, not checked",
            Self::Handshake => "Handshake answered",
        }
    }
}

impl Reason {
    /// The text for a delivery rejected for this reason, if no more specific cause is known.
    #[must_use]
    pub const fn headline(self) -> &'static str {
        match self {
            Self::UnknownSource => "No source with this name",
            Self::IpNotAllowed => "IP address not allowed",
            Self::TooLarge => "Body too large",
            Self::TooSlow => "Body arrived too slowly",
            Self::Incomplete => "The sender stopped inside the body",
            Self::CredentialsMissing => "No credential sent",
            Self::CredentialsWrong => "Wrong credential",
            Self::SignatureMissing => "Not signed",
            Self::SignatureMalformed => "Malformed signature header",
            Self::SignatureMismatch => "Signature mismatch",
            Self::Stale => "Signature timestamp outside the tolerance",
            Self::UnsupportedEncoding => "Unsupported Content-Encoding",
            Self::HandshakeMalformed => "Malformed handshake",
            Self::HandshakeRefused => "Handshake refused",
            Self::NotJson => "Invalid JSON",
            Self::InvalidPayload => "Invalid payload",
            Self::UnknownEvent => "Unknown event type",
            Self::InvalidId => "Invalid event id",
            Self::IdConflict => "Same event id, different body",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_and_verdict_has_a_headline_of_at_most_eight_words() {
        let reasons = Reason::ALL.iter().map(|reason| reason.headline());
        for headline in reasons.chain(Verdict::ALL.iter().map(|verdict| verdict.headline())) {
            assert!((1..=8).contains(&headline.split_whitespace().count()), "{headline}");
            assert!(!headline.ends_with('.'), "{headline}");
        }
    }
}
