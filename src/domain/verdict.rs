//! The verdict on a delivery, and the reason.

/// The verdict on a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every check passed and the event is new.
    Accepted,
    /// Every check passed; the event was accepted before.
    Duplicate,
    /// A check failed.
    Rejected,
    /// Stored for debugging (`/webhook-test`), not checked.
    Captured,
    /// A platform's question before it sends, answered; not an event.
    Handshake,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 5] =
        [Self::Accepted, Self::Duplicate, Self::Rejected, Self::Captured, Self::Handshake];

    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Rejected => "rejected",
            Self::Captured => "captured",
            Self::Handshake => "handshake",
        }
    }

    /// The verdict with that API name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == word)
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $word:literal, $status:literal;)*) => {
        /// Why a delivery was rejected.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason, in the order of the checks.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The status that the sender gets.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

reasons! {
    /// No source has that name.
    UnknownSource => "unknown_source", 404;
    /// The client's address is not in any allowed range.
    IpNotAllowed => "ip_not_allowed", 403;
    /// The body, as received or decoded, is over `max_body`.
    TooLarge => "too_large", 413;
    /// The body did not arrive within `body_timeout`.
    TooSlow => "too_slow", 408;
    /// The client disconnected inside the body, or broke its framing.
    Incomplete => "incomplete", 400;
    /// The source requires credentials and none were presented.
    CredentialsMissing => "credentials_missing", 401;
    /// The presented credentials match none of the source's.
    CredentialsWrong => "credentials_wrong", 401;
    /// The signature header is absent or empty.
    SignatureMissing => "signature_missing", 401;
    /// The signature header does not have the scheme's form.
    SignatureMalformed => "signature_malformed", 401;
    /// No secret produces that signature for these bytes.
    SignatureMismatch => "signature_mismatch", 401;
    /// The signed timestamp is too far from our clock.
    Stale => "stale", 401;
    /// An unsupported `Content-Encoding`.
    UnsupportedEncoding => "unsupported_encoding", 415;
    /// A platform's question that cannot be answered: its challenge is missing, too long or has unusual characters.
    HandshakeMalformed => "handshake_malformed", 400;
    /// A platform's question that is not meant for us: it has a different token, or a secret was handed over before.
    HandshakeRefused => "handshake_refused", 403;
    /// The verified body is not JSON as defined in the contract.
    NotJson => "not_json", 400;
    /// The payload does not match its schema.
    InvalidPayload => "invalid_payload", 400;
    /// The event is not in the catalogue and the source rejects such events.
    UnknownEvent => "unknown_event", 400;
    /// The event id is not a string up to 256 bytes or an integer.
    InvalidId => "invalid_id", 400;
    /// The id was accepted before, with another body.
    IdConflict => "id_conflict", 409;
}

impl Reason {
    /// The reason with that API name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }

    /// Whether the check of the signature refuses so.
    #[must_use]
    pub const fn is_about_signature(self) -> bool {
        matches!(
            self,
            Self::SignatureMissing | Self::SignatureMalformed | Self::SignatureMismatch | Self::Stale
        )
    }
}
