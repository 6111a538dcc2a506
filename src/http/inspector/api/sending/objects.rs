//! Messages, attempts and dead letters as the API shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Attempt, DeadLetter, MessageRow};
use crate::http::inspector::answer::{MessageState, Time};
use crate::http::inspector::operations::health::millis;

/// What every message has.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageObject {
    id: String,
    event_id: Option<String>,
    event_type: String,
    subscription_id: String,
    /// The subscription that sends it: its own, or the fallback.
    target_id: String,
    status: MessageState,
    created_at: Time,
    next_attempt_at: Option<Time>,
    replayed_at: Option<Time>,
    /// The delivery that it is from.
    delivery_id: Option<String>,
}

impl From<&MessageRow> for MessageObject {
    fn from(row: &MessageRow) -> Self {
        Self {
            id: row.id.to_string(),
            event_id: row.event_id.clone(),
            event_type: row.event_type.clone(),
            subscription_id: row.subscription.clone(),
            target_id: row.target.clone(),
            status: row.status.into(),
            created_at: row.created_at.into(),
            next_attempt_at: row.next_attempt_at.map(Time),
            replayed_at: row.replayed_at.map(Time),
            delivery_id: row.delivery.map(|id| id.to_string()),
        }
    }
}

/// A message in lists.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageSummary {
    #[serde(flatten)]
    message: MessageObject,
    /// How many there were.
    attempts: u32,
}

impl From<&MessageRow> for MessageSummary {
    fn from(row: &MessageRow) -> Self {
        Self { message: row.into(), attempts: row.attempts }
    }
}

/// An attempt to deliver a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptObject {
    /// From 1, over all rounds of the message.
    number: u32,
    subscription_id: String,
    started_at: Time,
    duration_ms: f64,
    /// The status of the response; null if there was none.
    status: Option<u16>,
    /// Why it failed, apart from the status.
    error: Option<&'static str>,
    error_detail: Option<String>,
    response_headers: Vec<(String, String)>,
    /// Whether the response was longer, or its body broke off.
    response_truncated: bool,
    /// Paths of the template that the event lacks.
    missing: Vec<String>,
    /// The first 16 KiB of the body, where it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    response_body: Option<String>,
    /// The same, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    response_body_base64: Option<String>,
}

impl From<&Attempt> for AttemptObject {
    fn from(attempt: &Attempt) -> Self {
        let body = std::str::from_utf8(&attempt.response_body).ok();
        Self {
            number: attempt.number,
            subscription_id: attempt.target.clone(),
            started_at: attempt.started_at.into(),
            duration_ms: millis(attempt.duration_us),
            status: attempt.status,
            error: attempt.error.map(|error| error.as_str()),
            error_detail: attempt.error_detail.clone(),
            response_headers: attempt.response_headers.clone(),
            response_truncated: attempt.response_truncated,
            missing: attempt.missing.clone(),
            response_body: body.map(str::to_owned),
            response_body_base64: body.is_none().then(|| STANDARD.encode(&attempt.response_body)),
        }
    }
}

/// A dead letter. Its id is that of its message, so it does not change with replays.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetterObject {
    id: String,
    message_id: String,
    subscription_id: String,
    event_id: Option<String>,
    event_type: String,
    url: String,
    /// What was sent.
    payload: String,
    error: String,
    primary_error: Option<String>,
    fallback_error: Option<String>,
    failed_at: Time,
    /// How many attempts there were.
    attempts: u32,
}

impl From<&DeadLetter> for DeadLetterObject {
    fn from(letter: &DeadLetter) -> Self {
        let row = &letter.message;
        Self {
            id: row.id.to_string(),
            message_id: row.id.to_string(),
            subscription_id: row.subscription.clone(),
            event_id: row.event_id.clone(),
            event_type: row.event_type.clone(),
            url: letter.url.clone(),
            payload: String::from_utf8_lossy(&letter.payload).into_owned(),
            error: letter.error.clone(),
            primary_error: letter.primary_error.clone(),
            fallback_error: letter.fallback_error.clone(),
            failed_at: letter.failed_at.into(),
            attempts: row.attempts,
        }
    }
}
