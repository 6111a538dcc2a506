//! One attempt to send a message, as stored and shown.

use bytes::Bytes;

use super::Timestamp;

macro_rules! attempt_errors {
    ($($(#[$doc:meta])* $name:ident => $word:literal;)*) => {
        /// Why an attempt failed, apart from the response status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AttemptError { $($(#[$doc])* $name,)* }

        impl AttemptError {
            /// Every error.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

attempt_errors! {
    /// The head of the response did not arrive in time.
    Timeout => "timeout";
    /// No program listens there, or the network does not reach it.
    Connect => "connect";
    /// The name does not resolve.
    Dns => "dns";
    /// The handshake or the certificate failed.
    Tls => "tls";
    /// The connection broke before the head of the response arrived.
    Reset => "reset";
    /// A 3xx response: redirects are never followed.
    Redirect => "redirect";
    /// The address is one that is never reached.
    BlockedAddress => "blocked_address";
    /// The head of the response is too large to read.
    TooLarge => "too_large";
    /// The template needs a value that the event lacks, and the subscription treats this as an error.
    Template => "template";
    /// The value of a header cannot be sent.
    HeaderInvalid => "header_invalid";
}

impl AttemptError {
    /// The error with that API name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|error| error.as_str() == word)
    }
}

/// One attempt to send a message. Attempts are appended, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The number, from 1, over all rounds of the message.
    pub number: u32,
    /// The subscription that sent it: the message's own, or the fallback.
    pub target: String,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// The response status, if there was a response.
    pub status: Option<u16>,
    /// The error, apart from the status.
    pub error: Option<AttemptError>,
    /// The error as a sentence without secrets.
    pub error_detail: Option<String>,
    /// The first 16 KiB of the response's header lines.
    pub response_headers: Vec<(String, String)>,
    /// The first 16 KiB of the response body.
    pub response_body: Bytes,
    /// Whether the response was longer, or its body broke off.
    pub response_truncated: bool,
    /// Template paths missing in the event.
    pub missing: Vec<String>,
}

impl Attempt {
    /// Whether it delivered the message: only a 2xx status does.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.error.is_none() && self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Why it failed, as a sentence.
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
