//! The sender's objects, as documented in `docs/API.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::config::shown_json;
use crate::domain::{Attempt, DeadLetter, MessageRow, SubscriptionOrigin};
use crate::http::inspector::operations::health::millis;
use crate::send::{Active, Evaluations, Parked, Sender};
use crate::store::SenderFigures;

/// A subscription: its configuration with secrets masked, and its results. Filter and template keep their text.
#[must_use]
pub fn subscription_object(sender: &Sender, active: &Active, warnings: &[String]) -> Box<RawValue> {
    let subscription = &active.compiled.subscription;
    let shown = shown_json(subscription);
    let origin = match subscription.origin {
        SubscriptionOrigin::Api => "api",
        SubscriptionOrigin::Config => "config",
    };
    let more = json!({
        "disabled_reason": subscription.disabled_reason,
        "origin": origin,
        "created_at": active.created_at.to_string(),
        "updated_at": active.updated_at.to_string(),
        "warnings": warnings,
        "evaluations": evaluations_object(sender, &subscription.id),
    });
    let id = Value::from(&*subscription.id);
    let inside = |text: &str| {
        text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default().to_owned()
    };
    let text = format!("{{\"id\":{id},{},{}}}", inside(&shown), inside(&more.to_string()));
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The results of filter and template on the last events, at most 100 each.
fn evaluations_object(sender: &Sender, subscription: &str) -> Value {
    let of = |evaluations: Evaluations| {
        json!({
            "failed": evaluations.failed(),
            "of": evaluations.of(),
            "last_failure": evaluations.last.as_ref().map(|last| json!({
                "why": last.why,
                "at": last.at.to_string(),
                "event_type": last.event_type,
                "event_id": last.event_id,
                "delivery_id": last.delivery.map(|id| id.to_string()),
            })),
        })
    };
    let parts = sender.evaluations().of(subscription);
    parts.into_iter().map(|(part, evaluations)| (part.as_str().to_owned(), of(evaluations))).collect()
}

/// A subscription that is not in force, with its waiting messages.
#[must_use]
pub fn parked_object(parked: &Parked, figures: Option<&SenderFigures>) -> Value {
    json!({
        "id": parked.id,
        "name": parked.name,
        "url": parked.url,
        "state": parked.word(),
        "since": parked.since.to_string(),
        "why": parked.sentence(),
        "cure": parked.cure(),
        "parked_messages": figures.map_or(0, |figures| figures.parked),
        "dead_letters": figures.map_or(0, |figures| figures.dead),
    })
}

/// A message in lists.
#[must_use]
pub fn message_row(row: &MessageRow) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("id", row.id.to_string().into());
    put("event_id", row.event_id.clone().into());
    put("event_type", row.event_type.clone().into());
    put("subscription_id", row.subscription.clone().into());
    put("target_id", row.target.clone().into());
    put("status", row.status.as_str().into());
    put("created_at", row.created_at.to_string().into());
    put("next_attempt_at", row.next_attempt_at.map(|at| at.to_string()).into());
    put("attempts", row.attempts.into());
    put("replayed_at", row.replayed_at.map(|at| at.to_string()).into());
    put("delivery_id", row.delivery.map(|id| id.to_string()).into());
    object
}

/// An attempt.
#[must_use]
pub fn attempt_object(attempt: &Attempt) -> Value {
    let mut object = json!({
        "number": attempt.number,
        "subscription_id": attempt.target,
        "started_at": attempt.started_at.to_string(),
        "duration_ms": millis(attempt.duration_us),
        "status": attempt.status,
        "error": attempt.error.map(|error| error.as_str()),
        "error_detail": attempt.error_detail,
        "response_headers": attempt.response_headers,
        "response_truncated": attempt.response_truncated,
        "missing": attempt.missing,
    });
    if let Some(members) = object.as_object_mut() {
        match std::str::from_utf8(&attempt.response_body) {
            Ok(text) => members.insert("response_body".to_owned(), text.into()),
            Err(_) => {
                let encoded = STANDARD.encode(&attempt.response_body);
                members.insert("response_body_base64".to_owned(), encoded.into())
            }
        };
    }
    object
}

/// A dead letter. Its id is that of its message, so it does not change with replays.
#[must_use]
pub fn dead_letter_object(letter: &DeadLetter) -> Map<String, Value> {
    let row = &letter.message;
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("id", row.id.to_string().into());
    put("message_id", row.id.to_string().into());
    put("subscription_id", row.subscription.clone().into());
    put("event_id", row.event_id.clone().into());
    put("event_type", row.event_type.clone().into());
    put("url", letter.url.clone().into());
    put("payload", String::from_utf8_lossy(&letter.payload).into());
    put("error", letter.error.clone().into());
    put("primary_error", letter.primary_error.clone().into());
    put("fallback_error", letter.fallback_error.clone().into());
    put("failed_at", letter.failed_at.to_string().into());
    put("attempts", row.attempts.into());
    object
}
