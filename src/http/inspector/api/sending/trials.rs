//! Trying a subscription: preview, test message, health check.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::event_choice::{EventChoice, chosen};
use super::objects::AttemptObject;
use super::subscriptions::{faults_of, missing};
use crate::domain::{Attempt, MessageId, MessageStatus};
use crate::http::inspector::answer::MessageState;
use crate::http::inspector::api::openapi::{Accepted, Done};
use crate::http::inspector::operations::health::{Health, endpoint};
use crate::http::inspector::operations::replay::fault;
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::http::inspector::request::{AsWritten, Json, Members};
use crate::http::inspector::state::InspectorState;
use crate::send::{Active, Compiled, ConditionOutcome, check_health};
use crate::store::StoredMessage;

/// The event of a test.
const TEST: &str = "webhook.test";
/// The interval for checking whether a test's attempt has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The extra time to wait for a test, beyond the timeout of its attempt.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is tried.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct PreviewRequest {
    /// The id of a subscription, or its configuration.
    #[schema(value_type = Value)]
    subscription: Option<AsWritten>,
    /// The subscription that the configuration would replace.
    subscription_id: Option<String>,
}

impl Members for PreviewRequest {}

/// What would be sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewObject {
    /// Whether the event would be sent.
    matches: bool,
    conditions: Vec<ConditionObject>,
    /// The exact text.
    payload: String,
    /// Secrets are masked.
    headers: Vec<(String, String)>,
    event_type: String,
    /// The exact text.
    event: String,
    /// What a template can name.
    places: Vec<PlaceObject>,
    /// Which values of the payload come from where.
    placed: Vec<PlacedObject>,
    /// Paths that the event lacks.
    missing: Vec<String>,
    warnings: Vec<String>,
}

/// A condition with its result.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionObject {
    field: String,
    operator: String,
    #[schema(value_type = Value)]
    value: Option<Box<RawValue>>,
    /// The value of the event.
    #[schema(value_type = Value)]
    seen: Option<Box<RawValue>>,
    matched: bool,
    /// Why an expression had no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

impl From<ConditionOutcome> for ConditionObject {
    fn from(one: ConditionOutcome) -> Self {
        let ConditionOutcome { field, operator, value, seen, matched, error } = one;
        Self { field, operator, value, seen, matched, error }
    }
}

/// A value that a template can name.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceObject {
    path: String,
    value: String,
}

/// A value of the payload that comes from the event.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlacedObject {
    /// A JSON pointer into the payload.
    payload: String,
    /// What the template has there.
    source: String,
    /// JSON pointers into the event.
    event: Vec<String>,
}

/// A test message.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestedSubscription {
    message_id: String,
    event_id: Option<String>,
    status: MessageState,
    /// The first attempt, if it ended in time.
    attempt: Option<AttemptObject>,
}

/// Applies template and filter to an event, without sending.
pub async fn preview(
    Json((request, choice)): Json<(PreviewRequest, EventChoice)>,
    state: web::Data<InspectorState>,
) -> Result<Done<PreviewObject>, Problem> {
    let (compiled, warnings) = subscription(&state, request)?;
    let default = compiled.subscription.events.iter().find(|event| state.catalog.resolve(event).is_some());
    let event = chosen(&state, choice, default.map(String::as_str)).await?;
    let preview = state.sender.preview(&compiled, &event, warnings);
    let places = preview.places.into_iter().map(|one| PlaceObject { path: one.path, value: one.value });
    let placed = preview.placed.into_iter().map(|one| PlacedObject {
        payload: one.payload,
        source: one.source,
        event: one.event,
    });
    Ok(Done(PreviewObject {
        matches: preview.matches,
        conditions: preview.conditions.into_iter().map(ConditionObject::from).collect(),
        payload: preview.payload,
        headers: preview.headers,
        event_type: event.event_type,
        event: preview.event,
        places: places.collect(),
        placed: placed.collect(),
        missing: preview.missing,
        warnings: preview.warnings,
    }))
}

/// The subscription of a preview: an id, or a draft, which keeps its own text.
fn subscription(state: &InspectorState, request: PreviewRequest) -> Result<(Compiled, Vec<String>), Problem> {
    let expected = "the id of a subscription, or its configuration";
    let wrong = || Problem::bad_body(vec![fault("/subscription", expected)]);
    let AsWritten(text) = request.subscription.ok_or_else(wrong)?;
    if let Ok(id) = serde_json::from_str::<String>(&text) {
        let active = state.sender.subscriptions().find(&id).ok_or_else(|| missing(state, &id))?;
        return Ok((active.compiled.clone(), active.compiled.warnings.clone()));
    }
    if !text.starts_with('{') {
        return Err(wrong());
    }
    state.sender.draft(&text, request.subscription_id.as_deref()).map_err(|faults| {
        let under = |found: FieldFault| fault(&format!("/subscription{}", found.pointer), found.message);
        Problem::bad_body(faults_of(faults).into_iter().map(under).collect())
    })
}

/// Sends `webhook.test`, or the event named in the body, and waits for the first attempt.
pub async fn test(
    id: web::Path<String>,
    Json(choice): Json<EventChoice>,
    state: web::Data<InspectorState>,
) -> Result<Accepted<TestedSubscription>, Problem> {
    let active = state.sender.subscriptions().get(&id).ok_or_else(|| missing(&state, &id))?;
    if !active.is_enabled() {
        return Err(Problem::conflict("The subscription is disabled; enable it first."));
    }
    let event = chosen(&state, choice, Some(TEST)).await?;
    let event_id = event.event_id.clone();
    let message = state.sender.send_by_hand(&active, event).await?;
    let first = first_attempt(&state, &active, message).await?;
    Ok(Accepted(TestedSubscription {
        message_id: message.to_string(),
        event_id,
        status: first.as_ref().map_or(MessageStatus::Pending, |(status, _)| *status).into(),
        attempt: first.map(|(_, attempt)| AttemptObject::from(&attempt)),
    }))
}

/// The first attempt of a message, if it ends in time.
async fn first_attempt(
    state: &InspectorState,
    active: &Arc<Active>,
    id: MessageId,
) -> Result<Option<(MessageStatus, Attempt)>, Problem> {
    let end = tokio::time::Instant::now() + active.compiled.subscription.timeout.saturating_add(PATIENCE);
    while tokio::time::Instant::now() < end {
        let found = state.store.message(id).await?;
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
pub async fn check(id: web::Path<String>, state: web::Data<InspectorState>) -> Result<Done<Health>, Problem> {
    let active = state.sender.subscriptions().get(&id).ok_or_else(|| missing(&state, &id))?;
    let check = check_health(&state.sender, &active).await;
    // Without them, the check itself is still useful.
    let figures = state.store.sender_figures().await.unwrap_or_default();
    let own = figures.iter().find(|figures| figures.subscription == id.as_str());
    Ok(Done(endpoint(&active, Some(&check), &[], own, state.clock.wall())))
}
