//! `POST events`, and why an event was or was not sent to each subscription.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::domain::OutgoingEvent;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{FieldFault, Problem, answer};
use crate::http::inspector::{InspectorState, json_body};
use crate::send::PublishFault;

/// Publishes an event, as TagoRUN does.
pub async fn publish(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let posted = json_body::bytes(payload).await?;
            let published = state.sender.publish(&posted).await.map_err(|fault| match fault {
                PublishFault::Invalid(faults) => json_body::bad(
                    faults
                        .into_iter()
                        .map(|fault| FieldFault { pointer: fault.path, message: fault.message })
                        .collect(),
                ),
                PublishFault::Conflict(id) => Problem::new(
                    StatusCode::CONFLICT,
                    format!(
                        "Event {id} was published before, with another body; give this one an id of its own."
                    ),
                ),
                PublishFault::Store(fault) => Problem::store_fault(&fault),
            })?;
            Ok(HttpResponse::Accepted().json(json!({
                "event_id": published.event_id,
                "messages": published.messages,
                "warnings": published.warnings,
            })))
        }
        .await,
    )
}

/// A published event and the decision for each subscription.
pub async fn one(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let found = state.store.published_event(id.clone()).await;
            let event = found.map_err(|fault| Problem::store_fault(&fault))?.ok_or_else(|| {
                Problem::not_found("No event of that id was published here; a received one is at deliveries/{id}/subscriptions.")
            })?;
            let told = routings(&state, &event, None).await?;
            Ok(HttpResponse::Ok().json(json!({
                "id": event.event_id,
                "event_id": event.event_id,
                "event_type": event.event_type,
                "published_at": event.received_at.to_string(),
                "body": String::from_utf8_lossy(&event.body),
                "subscriptions": told,
            })))
        }
        .await,
    )
}

/// Why a delivery's event was or was not sent to each subscription.
pub async fn of_delivery(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            Params::read(request.query_string(), Blank::Fault)
                .finish(&["none"])
                .map_err(Problem::bad_parameters)?;
            let (event, seq) = super::event_choice::of_delivery(&state, &id).await?;
            let told = routings(&state, &event, Some(seq)).await?;
            Ok(HttpResponse::Ok().json(json!({"subscriptions": told, "next": null})))
        }
        .await,
    )
}

async fn routings(
    state: &InspectorState,
    event: &OutgoingEvent,
    seq: Option<i64>,
) -> Result<Vec<Value>, Problem> {
    let mut told = Vec::new();
    for (active, routing) in state.sender.routings(event, seq) {
        let conditions = state.sender.preview(&active.compiled, event, Vec::new());
        let message = match &event.event_id {
            Some(id) => super::messages::of_event(state, active.compiled.id(), id).await?,
            None => None,
        };
        told.push(json!({
            "id": active.compiled.id(),
            "subscription_id": active.compiled.id(),
            "name": active.compiled.subscription.name,
            "outcome": routing.as_str(),
            "why": routing.sentence(),
            "conditions": conditions.conditions,
            "message_id": message.map(|id| id.to_string()),
        }));
    }
    Ok(told)
}
