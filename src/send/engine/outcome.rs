//! The result of an attempt: delivered, a later retry, the fallback, or dead.

use std::time::Duration;

use bytes::Bytes;

use super::retry_after::retry_after;
use crate::domain::{Attempt, AttemptError, ClaimedMessage, Now, RetryPolicy, Timestamp};
use crate::store::Next;

/// The longest wait that a response's `Retry-After` can request.
const MOST_RETRY_AFTER: Duration = Duration::from_secs(2 * 3_600);
/// The most that a `Retry-After` wait is extended, as a fraction, so that retries are spread.
const RETRY_AFTER_SPREAD: f64 = 0.1;
/// "Gone": the endpoint wants no further requests (RFC 9110, 15.5.11).
const GONE: u16 = 410;

/// The inputs for a decision on a message, apart from its attempt.
pub struct Terms<'a> {
    /// The policy of the subscription that sent it.
    pub policy: &'a RetryPolicy,
    /// The fallback, if one can be used: its id, and the entity of the message if it sends in order.
    pub fallback: Option<(String, Option<String>)>,
    /// The URL it was sent to.
    pub url: &'a str,
    /// The payload that was sent, or would have been sent.
    pub payload: Bytes,
    /// A number from 0 to 1, for jitter.
    pub chance: f64,
}

/// Whether this response status means that the endpoint is gone.
#[must_use]
pub const fn is_gone(status: u16) -> bool {
    status == GONE
}

/// The next step after `attempt`, which ended at `now`.
#[must_use]
pub fn after(message: &ClaimedMessage, attempt: &Attempt, terms: Terms<'_>, now: Now) -> Next {
    if attempt.is_success() {
        return Next::Delivered;
    }
    let made = attempt.number.saturating_sub(message.attempts_before);
    match delay(attempt, terms.policy, made, terms.chance, now.wall) {
        Some(delay) => Next::Retry(now.due.plus(delay)),
        None => exhausted(message, attempt.failure(), terms),
    }
}

fn delay(
    attempt: &Attempt,
    policy: &RetryPolicy,
    made: u32,
    chance: f64,
    now: Timestamp,
) -> Option<Duration> {
    // A retry would not change either of these.
    let is_hopeless = matches!(attempt.error, Some(AttemptError::Template | AttemptError::HeaderInvalid));
    if is_hopeless || attempt.status.is_some_and(is_gone) {
        return None;
    }
    let backoff = policy.delay_after(made, chance)?;
    let asked = attempt
        .response_headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))
        .and_then(|(_, value)| retry_after(value, now));
    let Some(asked) = asked.map(|asked| asked.min(MOST_RETRY_AFTER)) else { return Some(backoff) };
    let spread = if policy.jitter { RETRY_AFTER_SPREAD.mul_add(chance.clamp(0.0, 1.0), 1.0) } else { 1.0 };
    Some(backoff.max(asked.mul_f64(spread)))
}

/// All attempts are used: the fallback is used once; if that fails too, the message becomes a dead letter.
fn exhausted(message: &ClaimedMessage, error: String, terms: Terms<'_>) -> Next {
    let Terms { url, payload, .. } = terms;
    match (&message.primary_error, terms.fallback) {
        (None, Some((target, in_order))) => Next::Fallback { target, primary_error: error, in_order },
        (primary_error, _) => Next::Dead {
            url: url.to_owned(),
            payload,
            error: error.clone(),
            primary_error: primary_error.clone(),
            fallback_error: primary_error.is_some().then_some(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Backoff, MessageId, OutgoingEvent};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn message(attempts_before: u32) -> ClaimedMessage {
        ClaimedMessage {
            seq: 1,
            id: MessageId::new_at(NOW),
            subscription: "a".into(),
            target: "a".into(),
            attempts: attempts_before,
            attempts_before,
            primary_error: None,
            claim: 0,
            event: Arc::new(OutgoingEvent {
                source: "published".into(),
                event_id: None,
                event_type: "user.login".into(),
                entity: None,
                received_at: NOW,
                body: Bytes::new(),
                delivery: None,
                lineage: Vec::new(),
            }),
        }
    }

    fn attempt(number: u32, status: u16, retry_after: Option<&str>) -> Attempt {
        let headers = retry_after.map(|value| ("Retry-After".to_owned(), value.to_owned()));
        Attempt {
            number,
            target: "a".into(),
            started_at: NOW,
            duration_us: 0,
            status: Some(status),
            error: None,
            error_detail: None,
            response_headers: headers.into_iter().collect(),
            response_body: Bytes::new(),
            response_truncated: false,
            missing: Vec::new(),
        }
    }

    fn policy() -> RetryPolicy {
        let backoff = Backoff::Fixed(Duration::from_secs(1));
        RetryPolicy { max_attempts: 3, backoff, max_delay: Duration::from_secs(60), jitter: true }
    }

    fn next(message: &ClaimedMessage, attempt: &Attempt, fallback: Option<&str>) -> Next {
        let terms = Terms {
            policy: &policy(),
            fallback: fallback.map(|id| (id.to_owned(), None)),
            url: "http://e/",
            payload: Bytes::new(),
            chance: 0.5,
        };
        after(message, attempt, terms, Now::at(NOW))
    }

    fn delay_ms(next: &Next) -> u128 {
        match next {
            Next::Retry(at) => at.abs_diff(NOW).as_millis(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rt_01_attempts_end_with_the_policy_and_a_replay_begins_a_new_round() {
        assert!(matches!(next(&message(0), &attempt(2, 403, None), None), Next::Retry(_)));
        assert!(matches!(next(&message(0), &attempt(3, 403, None), None), Next::Dead { .. }));
        assert!(matches!(next(&message(3), &attempt(4, 403, None), None), Next::Retry(_)));
        assert!(matches!(next(&message(3), &attempt(6, 403, None), None), Next::Dead { .. }));
    }

    #[test]
    fn rt_05_rt_06_the_longer_of_backoff_and_retry_after_decides_up_to_its_cap() {
        let wait = |value: &str| delay_ms(&next(&message(0), &attempt(1, 429, Some(value)), None));
        assert_eq!(wait("5"), 5_250);
        assert_eq!(wait("0"), 1_150);
        assert_eq!(wait("86400"), 7_560_000);
        for garbage in ["-1", "abc", "1e30", ""] {
            assert_eq!(wait(garbage), 1_150, "{garbage}");
        }
    }

    #[test]
    fn gone_and_what_cannot_be_sent_are_not_tried_again() {
        assert!(matches!(next(&message(0), &attempt(1, 410, None), None), Next::Dead { .. }));
        let unsendable =
            Attempt { error: Some(AttemptError::HeaderInvalid), status: None, ..attempt(1, 0, None) };
        assert!(matches!(next(&message(0), &unsendable, None), Next::Dead { .. }));
    }

    #[test]
    fn the_fallback_is_tried_once_and_both_errors_are_kept() {
        match next(&message(0), &attempt(3, 500, None), Some("b")) {
            Next::Fallback { target, primary_error, .. } => {
                assert_eq!((target.as_str(), primary_error.as_str()), ("b", "HTTP 500"));
            }
            other => panic!("{other:?}"),
        }
        let at_fallback = ClaimedMessage { primary_error: Some("HTTP 500".into()), ..message(3) };
        match next(&at_fallback, &attempt(6, 503, None), Some("b")) {
            Next::Dead { error, primary_error, fallback_error, .. } => {
                assert_eq!(error, "HTTP 503");
                assert_eq!(primary_error.as_deref(), Some("HTTP 500"));
                assert_eq!(fallback_error.as_deref(), Some("HTTP 503"));
            }
            other => panic!("{other:?}"),
        }
    }
}
