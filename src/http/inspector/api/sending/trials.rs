//! Trying a subscription: preview, test message, health check.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;
use serde_json::value::RawValue;

use super::event_choice;
use super::objects::attempt_object;
use super::subscriptions::{faults_of, missing};
use crate::domain::{Attempt, MessageId, MessageStatus};
use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::{bad, fault};
use crate::http::inspector::operations::health::endpoint;
use crate::http::inspector::problem::{FieldFault, Problem, answer};
use crate::send::{Active, Compiled, check_health};
use crate::store::StoredMessage;

/// The event of a test.
const TEST: &str = "webhook.test";
/// The interval for checking whether a test's attempt has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The extra time to wait for a test, beyond the timeout of its attempt.
const PATIENCE: Duration = Duration::from_secs(2);

/// Applies template and filter to an event, without sending.
pub async fn preview(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let known: Vec<&str> = ["subscription", "subscription_id"].into_iter().chain(event_choice::KEYS).collect();
            let members = event_choice::members(payload, &known).await?;
            let of = members.get("subscription_id").and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
            let asked = members.get("subscription").map(|raw| &**raw);
            let (compiled, warnings) = subscription(&state, asked, of.as_deref())?;
            let default =
                compiled.subscription.events.iter().find(|event| state.catalog.resolve(event).is_some());
            let event = event_choice::chosen(&state, &members, default.map(String::as_str)).await?;
            let preview = state.sender.preview(&compiled, &event, warnings);
            Ok(HttpResponse::Ok().json(json!({
                "matches": preview.matches,
                "conditions": preview.conditions,
                "payload": preview.payload,
                "headers": preview.headers,
                "event_type": event.event_type,
                "event": preview.event,
                "places": preview.places.iter().map(|place| json!({"path": place.path, "value": place.value})).collect::<Vec<_>>(),
                "placed": preview.placed.iter().map(|one| json!({
                    "payload": one.payload, "source": one.source, "event": one.event,
                })).collect::<Vec<_>>(),
                "missing": preview.missing,
                "warnings": preview.warnings,
            })))
        }
        .await,
    )
}

/// The subscription of a preview: an id, or a draft, which keeps its own text. `of` is the subscription that the draft
/// would replace.
fn subscription(
    state: &InspectorState,
    asked: Option<&RawValue>,
    of: Option<&str>,
) -> Result<(Compiled, Vec<String>), Problem> {
    let wrong = || bad(vec![fault("/subscription", "the id of a subscription, or its configuration")]);
    let asked = asked.ok_or_else(wrong)?;
    if let Ok(id) = serde_json::from_str::<String>(asked.get()) {
        let active = state.sender.subscriptions().find(&id).ok_or_else(|| missing(state, &id))?;
        return Ok((active.compiled.clone(), active.compiled.warnings.clone()));
    }
    if !asked.get().starts_with('{') {
        return Err(wrong());
    }
    state.sender.draft(asked.get(), of).map_err(|faults| {
        let under = |found: FieldFault| FieldFault {
            pointer: format!("/subscription{}", found.pointer),
            message: found.message,
        };
        bad(faults_of(faults).into_iter().map(under).collect())
    })
}

/// Sends `webhook.test`, or the event named in the body, and waits for the first attempt.
pub async fn test(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            let members = event_choice::members(payload, &event_choice::KEYS).await?;
            let active = state.sender.subscriptions().get(&id).ok_or_else(|| missing(&state, &id))?;
            if !active.is_enabled() {
                let detail = "The subscription is disabled; enable it first.";
                return Err(Problem::new(StatusCode::CONFLICT, detail));
            }
            let event = event_choice::chosen(&state, &members, Some(TEST)).await?;
            let event_id = event.event_id.clone();
            let sent = state.sender.send_by_hand(&active, event).await;
            let message = sent.map_err(|fault| Problem::store_fault(&fault))?;
            let first = first_attempt(&state, &active, message).await?;
            Ok(HttpResponse::Accepted().json(json!({
                "message_id": message.to_string(),
                "event_id": event_id,
                "status": first.as_ref().map_or(MessageStatus::Pending, |(status, _)| *status).as_str(),
                "attempt": first.map(|(_, attempt)| attempt_object(&attempt)),
            })))
        }
        .await,
    )
}

/// The first attempt of a message, if it ends in time.
async fn first_attempt(
    state: &InspectorState,
    active: &Arc<Active>,
    id: MessageId,
) -> Result<Option<(MessageStatus, Attempt)>, Problem> {
    let end = tokio::time::Instant::now() + active.compiled.subscription.timeout.saturating_add(PATIENCE);
    while tokio::time::Instant::now() < end {
        let found = state.store.message(id).await.map_err(|fault| Problem::store_fault(&fault))?;
        if let Some(StoredMessage { row, attempts, .. }) = found
            && let Some(first) = attempts.into_iter().next()
        {
            return Ok(Some((row.status, first)));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(None)
}

/// Checks the endpoint now.
pub async fn check(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    let Some(active) = state.sender.subscriptions().get(&id) else { return missing(&state, &id).response() };
    let check = check_health(&state.sender, &active).await;
    // Without them, the check itself is still useful.
    let figures = state.store.sender_figures().await.unwrap_or_default();
    let own = figures.iter().find(|figures| figures.subscription == id.as_str());
    HttpResponse::Ok().json(endpoint(&active, Some(&check), &[], own, state.clock.wall()))
}
