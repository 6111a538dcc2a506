//! Attempts as a page shows them.

use crate::domain::{Attempt, Piece, Timestamp, pieces, plain};
use crate::http::inspector::words::{When, readable, took};

/// The most bytes of a response that a page shows.
const SHOWN: usize = 4 * 1024;

/// One attempt.
pub struct AttemptView {
    /// The number.
    pub number: u32,
    /// Through which subscription.
    pub target: String,
    /// When it began.
    pub started: When,
    /// How long it took.
    pub took: String,
    /// The status, or the error.
    pub outcome: String,
    /// What went wrong, in a sentence.
    pub detail: String,
    /// Whether it delivered the message.
    pub is_success: bool,
    /// The header lines of the response.
    pub headers: Vec<(String, Vec<Piece>)>,
    /// The response's body, laid out where it is JSON.
    pub body: Vec<Piece>,
    /// Whether there was more.
    pub is_cut: bool,
    /// Paths that the event lacked.
    pub missing: Vec<String>,
}

impl AttemptView {
    /// The class of its outcome.
    #[must_use]
    pub const fn outcome_class(&self) -> &'static str {
        if self.is_success { "pass" } else { "fail" }
    }

    /// Whether there is a response to show.
    #[must_use]
    pub fn has_response(&self) -> bool {
        !self.headers.is_empty() || !self.body.is_empty()
    }

    /// The view of an attempt.
    #[must_use]
    pub fn of(attempt: &Attempt, now: Timestamp) -> Self {
        let outcome = match (attempt.status, attempt.error) {
            (Some(status), _) => format!("HTTP {status}"),
            (None, Some(error)) => error.as_str().to_owned(),
            (None, None) => "no response".to_owned(),
        };
        let body = attempt.response_body.get(..SHOWN).unwrap_or(&attempt.response_body);
        Self {
            number: attempt.number,
            target: plain(&attempt.target),
            started: When::clock(attempt.started_at, now),
            took: took(attempt.duration_us),
            outcome,
            detail: plain(attempt.error_detail.as_deref().unwrap_or_default()),
            is_success: attempt.is_success(),
            headers: attempt
                .response_headers
                .iter()
                .map(|(name, value)| (plain(name), pieces(value)))
                .collect(),
            body: readable(&String::from_utf8_lossy(body)),
            is_cut: attempt.response_truncated || attempt.response_body.len() > SHOWN,
            missing: attempt.missing.iter().map(|path| plain(path)).collect(),
        }
    }
}
