//! One try to send a message, as it is kept and shown.

use bytes::Bytes;

use super::Timestamp;

macro_rules! attempt_errors {
    ($($(#[$doc:meta])* $name:ident => $word:literal;)*) => {
        /// Why an attempt failed beside the status of an answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AttemptError { $($(#[$doc])* $name,)* }

        impl AttemptError {
            /// Every error.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

attempt_errors! {
    /// The head of the answer was not there in time.
    Timeout => "timeout";
    /// Nobody listens there, or the network does not reach it.
    Connect => "connect";
    /// The name does not resolve.
    Dns => "dns";
    /// The handshake or the certificate failed.
    Tls => "tls";
    /// The connection broke before the head of the answer was there.
    Reset => "reset";
    /// A 3xx answer: redirects are never followed.
    Redirect => "redirect";
    /// The address is one that is never reached.
    BlockedAddress => "blocked_address";
    /// The head of the answer is larger than any reader takes.
    TooLarge => "too_large";
    /// The template asks for a value that the event lacks, and the subscription says that this is an error.
    Template => "template";
    /// A header's value cannot be sent.
    HeaderInvalid => "header_invalid";
}

impl AttemptError {
    /// The error of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|error| error.as_str() == word)
    }
}

/// One try to send a message. Attempts are appended, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The number, from 1, over all rounds of the message.
    pub number: u32,
    /// The subscription through which it was sent: the message's own, or the fallback.
    pub target: String,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// What went wrong beside the status.
    pub error: Option<AttemptError>,
    /// That, in a sentence; holds no secret.
    pub error_detail: Option<String>,
    /// The first 16 KiB of the answer's header lines.
    pub response_headers: Vec<(String, String)>,
    /// The first 16 KiB of the answer's body.
    pub response_body: Bytes,
    /// Whether there was more of the answer, or its body broke off.
    pub response_truncated: bool,
    /// Paths of the template that the event lacks.
    pub missing: Vec<String>,
}

impl Attempt {
    /// Whether it delivered the message: only 2xx does.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.error.is_none() && self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Why it failed, in a sentence.
    #[must_use]
    pub fn failure(&self) -> String {
        match (self.error, &self.error_detail, self.status) {
            (Some(error), Some(detail), _) => format!("{}: {detail}", error.as_str()),
            (Some(error), None, _) => error.as_str().to_owned(),
            (None, _, Some(status)) => format!("HTTP {status}"),
            (None, _, None) => "no answer".to_owned(),
        }
    }
}
