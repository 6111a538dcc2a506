//! Attempts as a page shows them.

use crate::domain::{Attempt, Piece, pieces, plain};
use crate::http::inspector::row_view::{shown_time, took};

/// The most bytes of an answer that a page shows.
const SHOWN: usize = 4 * 1024;

/// One attempt.
pub struct AttemptView {
    /// The number.
    pub number: u32,
    /// Through which subscription.
    pub target: String,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// When it began, as it is read.
    pub time: String,
    /// How long it took.
    pub took: String,
    /// The status, or the error.
    pub outcome: String,
    /// What went wrong, in a sentence.
    pub detail: String,
    /// Whether it delivered the message.
    pub is_success: bool,
    /// The header lines of the answer.
    pub headers: Vec<(String, Vec<Piece>)>,
    /// The answer's body.
    pub body: Vec<Piece>,
    /// Whether there was more.
    pub is_cut: bool,
    /// Paths that the event lacked.
    pub missing: Vec<String>,
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        let outcome = match (attempt.status, attempt.error) {
            (Some(status), _) => format!("HTTP {status}"),
            (None, Some(error)) => error.as_str().to_owned(),
            (None, None) => "no answer".to_owned(),
        };
        let body = attempt.response_body.get(..SHOWN).unwrap_or(&attempt.response_body);
        Self {
            number: attempt.number,
            target: plain(&attempt.target),
            started_at: attempt.started_at.to_string(),
            time: shown_time(&attempt.started_at.to_string()),
            took: took(attempt.duration_us),
            outcome,
            detail: plain(attempt.error_detail.as_deref().unwrap_or_default()),
            is_success: attempt.is_success(),
            headers: attempt
                .response_headers
                .iter()
                .map(|(name, value)| (plain(name), pieces(value)))
                .collect(),
            body: pieces(&String::from_utf8_lossy(body)),
            is_cut: attempt.response_truncated || attempt.response_body.len() > SHOWN,
            missing: attempt.missing.iter().map(|path| plain(path)).collect(),
        }
    }
}
