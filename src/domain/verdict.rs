//! What became of a delivery, and why.

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every check passed and the event is new.
    Accepted,
    /// Every check passed; the event was accepted before.
    Duplicate,
    /// A check failed.
    Rejected,
    /// Kept for debugging (`/webhook-test`), not judged.
    Captured,
    /// A platform's question before it sends, answered; not an event.
    Handshake,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 5] =
        [Self::Accepted, Self::Duplicate, Self::Rejected, Self::Captured, Self::Handshake];

    /// The word in the API.
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

    /// The verdict of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == word)
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $word:literal, $status:literal;)*) => {
        /// Why a delivery was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason, in the order of the checks.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in the API.
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
    /// No source of that name.
    UnknownSource => "unknown_source", 404;
    /// The client's address is in no allowed range.
    IpNotAllowed => "ip_not_allowed", 403;
    /// The body, or what it decodes to, is over `max_body`.
    TooLarge => "too_large", 413;
    /// The body was not there within `body_timeout`.
    TooSlow => "too_slow", 408;
    /// The client went away inside the body, or broke its framing.
    Incomplete => "incomplete", 400;
    /// The source asks for credentials and none was presented.
    CredentialsMissing => "credentials_missing", 401;
    /// What was presented matches none of the source's credentials.
    CredentialsWrong => "credentials_wrong", 401;
    /// The signature header is absent or empty.
    SignatureMissing => "signature_missing", 401;
    /// The signature header is not of the scheme's form.
    SignatureMalformed => "signature_malformed", 401;
    /// No secret makes that signature over these bytes.
    SignatureMismatch => "signature_mismatch", 401;
    /// The signed timestamp is too far from our clock.
    Stale => "stale", 401;
    /// A `Content-Encoding` that we do not read.
    UnsupportedEncoding => "unsupported_encoding", 415;
    /// A platform's question that cannot be answered: its challenge is missing, too long or of odd characters.
    HandshakeMalformed => "handshake_malformed", 400;
    /// A platform's question that is not meant for us: its token is another one, or a secret was handed over before.
    HandshakeRefused => "handshake_refused", 403;
    /// The verified body is not JSON as the contract has it.
    NotJson => "not_json", 400;
    /// The payload departs from its schema.
    InvalidPayload => "invalid_payload", 400;
    /// The catalogue does not know the event and the source refuses such.
    UnknownEvent => "unknown_event", 400;
    /// The event id is not a string up to 256 bytes or an integer.
    InvalidId => "invalid_id", 400;
    /// The id was accepted before, with another body.
    IdConflict => "id_conflict", 409;
}

impl Reason {
    /// The reason of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }
}
