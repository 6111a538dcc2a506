//! `POST events`, and why an event was or was not sent to each subscription.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::event_choice;
use super::messages::of_event;
use super::trials::ConditionObject;
use crate::domain::OutgoingEvent;
use crate::http::inspector::answer::Time;
use crate::http::inspector::api::openapi::{Accepted, Done};
use crate::http::inspector::operations::replay::fault;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{Query, Raw};
use crate::http::inspector::state::InspectorState;
use crate::send::PublishFault;

/// An event to publish. There may be more members; they are the payload.
#[derive(Serialize, ToSchema)]
pub struct EventInput {
    /// The event type.
    #[schema(example = "user.login")]
    pub event: String,
    /// Its id; a new one without it.
    #[schema(required = false)]
    pub id: String,
    /// Its time; now without it.
    #[schema(required = false)]
    pub timestamp: String,
}

/// An event that was published.
#[derive(Debug, Serialize, ToSchema)]
pub struct Published {
    event_id: Option<String>,
    /// How many messages it became.
    messages: u32,
    warnings: Vec<String>,
}

/// A published event, and where it went.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedEvent {
    id: Option<String>,
    event_id: Option<String>,
    event_type: String,
    published_at: Time,
    body: String,
    subscriptions: Vec<RoutingObject>,
}

/// Where an event went.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoutingList {
    subscriptions: Vec<RoutingObject>,
    next: Option<String>,
}

/// Whether a subscription got an event, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoutingObject {
    id: String,
    subscription_id: String,
    name: String,
    outcome: &'static str,
    why: String,
    conditions: Vec<ConditionObject>,
    message_id: Option<String>,
}

/// Publishes an event, as TagoRUN does.
pub async fn publish(
    event: Raw<EventInput>,
    state: web::Data<InspectorState>,
) -> Result<Accepted<Published>, Problem> {
    let published = state.sender.publish(&event.bytes).await.map_err(|wrong| match wrong {
        PublishFault::Invalid(faults) => {
            let faults = faults.into_iter().map(|found| fault(&found.path, found.message));
            Problem::bad_body(faults.collect())
        }
        PublishFault::Conflict(id) => Problem::conflict(format!(
            "Event {id} was published before, with another body; give this one an id of its own."
        )),
        PublishFault::Store(fault) => Problem::from(fault),
    })?;
    Ok(Accepted(Published {
        event_id: Some(published.event_id),
        messages: published.messages,
        warnings: published.warnings,
    }))
}

/// A published event and the decision for each subscription.
pub async fn one(
    id: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<PublishedEvent>, Problem> {
    let missing = || {
        Problem::not_found(
            "No event of that id was published here; a received one is at deliveries/{id}/subscriptions.",
        )
    };
    let event = state.store.published_event(id.into_inner()).await?.ok_or_else(missing)?;
    let subscriptions = routings(&state, &event, None).await?;
    Ok(Done(PublishedEvent {
        id: event.event_id.clone(),
        body: String::from_utf8_lossy(&event.body).into_owned(),
        event_id: event.event_id,
        event_type: event.event_type,
        published_at: event.received_at.into(),
        subscriptions,
    }))
}

/// Why a delivery's event was or was not sent to each subscription.
pub async fn of_delivery(
    id: web::Path<String>,
    _: Query<()>,
    state: web::Data<InspectorState>,
) -> Result<Done<RoutingList>, Problem> {
    let (event, seq) = event_choice::of_delivery(&state, &id).await?;
    let subscriptions = routings(&state, &event, Some(seq)).await?;
    Ok(Done(RoutingList { subscriptions, next: None }))
}

async fn routings(
    state: &InspectorState,
    event: &OutgoingEvent,
    seq: Option<i64>,
) -> Result<Vec<RoutingObject>, Problem> {
    let mut told = Vec::new();
    for (active, routing) in state.sender.routings(event, seq) {
        let preview = state.sender.preview(&active.compiled, event, Vec::new());
        let message = match &event.event_id {
            Some(id) => of_event(state, active.compiled.id(), id).await?,
            None => None,
        };
        told.push(RoutingObject {
            id: active.compiled.id().to_owned(),
            subscription_id: active.compiled.id().to_owned(),
            name: active.compiled.subscription.name.clone(),
            outcome: routing.as_str(),
            why: routing.sentence().into_owned(),
            conditions: preview.conditions.into_iter().map(ConditionObject::from).collect(),
            message_id: message.map(|id| id.to_string()),
        });
    }
    Ok(told)
}
