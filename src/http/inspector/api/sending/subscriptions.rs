//! `subscriptions`: TagoRUN's webhook configurations.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::objects::{parked_object, subscription_object};
use crate::http::inspector::operations::parked::parked;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{FieldFault, Problem, answer};
use crate::http::inspector::{InspectorState, json_body};
use crate::send::{Active, ManageFault, Managed, SubscriptionFault, presets as all_presets};

#[derive(Serialize)]
struct List {
    subscriptions: Vec<Box<RawValue>>,
    parked: Vec<serde_json::Value>,
    next: Option<String>,
}

/// Every subscription, newest first.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let limit = params.parsed("limit", "a number from 1 to 500", |text| {
        text.parse::<usize>().ok().filter(|limit| (1..=500).contains(limit))
    });
    let before = params.text("before");
    if let Err(faults) = params.finish(&["limit", "before"]) {
        return Problem::bad_parameters(faults).response();
    }
    let all = state.sender.subscriptions().all();
    let start = before
        .and_then(|before| all.iter().position(|active| active.compiled.id() == before))
        .map_or(0, |at| at.saturating_add(1));
    let limit = limit.unwrap_or(500);
    let page: Vec<_> = all.iter().skip(start).take(limit).collect();
    let has_more = all.len() > start.saturating_add(page.len());
    let next = page.last().filter(|_| has_more).map(|active| active.compiled.id().to_owned());
    let subscriptions = page.iter().map(|active| object(&state, active)).collect();
    match parked(&state).await {
        Ok(all) => {
            let parked = all.iter().map(|(parked, figures)| parked_object(parked, Some(figures))).collect();
            HttpResponse::Ok().json(List { subscriptions, parked, next })
        }
        Err(problem) => problem.response(),
    }
}

/// One subscription.
pub async fn one(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    match state.sender.subscriptions().get(&id) {
        Some(active) => HttpResponse::Ok().json(object(&state, &active)),
        None => missing(&state, &id).response(),
    }
}

fn object(state: &InspectorState, active: &Active) -> Box<RawValue> {
    subscription_object(&state.sender, active, &state.sender.warnings_of(&active.compiled))
}

/// The subscription does not exist, or it is not in force.
#[must_use]
pub fn missing(state: &InspectorState, id: &str) -> Problem {
    Problem::not_found(match state.sender.subscriptions().parked(id) {
        Some(parked) => format!("{} {}", parked.sentence(), parked.cure()),
        None => format!("There is no subscription {id:?}."),
    })
}

/// Creates a subscription.
pub async fn create(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let json = json_body::text(payload).await?;
            let put = state.sender.create(&json).await.map_err(|fault| problem(&state, fault))?;
            let location = format!("/api/v1/subscriptions/{}", put.active.compiled.id());
            Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(shown(&state, &put)))
        }
        .await,
    )
}

/// Replaces a subscription.
pub async fn replace(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            let json = json_body::text(payload).await?;
            let put = state.sender.replace(&id, &json).await.map_err(|fault| problem(&state, fault))?;
            Ok(HttpResponse::Ok().json(shown(&state, &put)))
        }
        .await,
    )
}

/// Changes a subscription by a merge patch.
pub async fn patch(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            let json = json_body::text(payload).await?;
            let put = state.sender.patch(&id, &json).await.map_err(|fault| problem(&state, fault))?;
            Ok(HttpResponse::Ok().json(shown(&state, &put)))
        }
        .await,
    )
}

/// Deletes a subscription, even one that is not in force, and cancels its waiting messages. If it is the fallback of
/// others, the response says so.
pub async fn delete(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    match state.sender.remove(&id).await {
        Ok(warnings) if warnings.is_empty() => HttpResponse::NoContent().finish(),
        Ok(warnings) => HttpResponse::Ok().json(json!({"id": id.as_str(), "warnings": warnings})),
        Err(fault) => problem(&state, fault).response(),
    }
}

/// Ready-made subscriptions for well-known endpoints.
pub async fn presets() -> HttpResponse {
    let presets: Vec<serde_json::Value> = all_presets()
        .iter()
        .map(|preset| {
            let subscription: serde_json::Value =
                serde_json::from_str(preset.subscription).unwrap_or_default();
            json!({
                "id": preset.name,
                "title": preset.title,
                "description": preset.description,
                "subscription": subscription,
            })
        })
        .collect();
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .json(json!({"presets": presets, "next": null}))
}

fn shown(state: &InspectorState, put: &Managed) -> Box<RawValue> {
    subscription_object(&state.sender, &put.active, &put.warnings)
}

/// The faults of a subscription as the API returns them.
#[must_use]
pub fn faults_of(faults: Vec<SubscriptionFault>) -> Vec<FieldFault> {
    faults.into_iter().map(|SubscriptionFault { pointer, message }| FieldFault { pointer, message }).collect()
}

/// Why a subscription was not saved.
#[must_use]
pub fn problem(state: &InspectorState, fault: ManageFault) -> Problem {
    match fault {
        ManageFault::Missing(id) => missing(state, &id),
        ManageFault::ReadOnly(_) => Problem::new(StatusCode::CONFLICT, format!("The {fault}.")),
        ManageFault::Invalid(faults) => Problem::bad_body(faults_of(faults)),
        ManageFault::Store(fault) => Problem::store_fault(&fault),
    }
}
