//! `subscriptions`: TagoRUN's webhook configurations, put and read.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::answer;
use super::objects::subscription_object;
use crate::http::api::json_body;
use crate::http::api::params::{Blank, Params};
use crate::http::inspector::InspectorState;
use crate::http::problem::{FieldFault, Problem};
use crate::send::{ManageFault, Managed, SubscriptionFault, presets as all_presets};

#[derive(Serialize)]
struct List {
    subscriptions: Vec<Box<RawValue>>,
    next: Option<String>,
}

/// Every subscription, the newest first.
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
    let subscriptions =
        page.iter().map(|active| subscription_object(active, &active.compiled.warnings)).collect();
    HttpResponse::Ok().json(List { subscriptions, next })
}

/// One subscription.
pub async fn one(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    match state.sender.subscriptions().get(&id) {
        Some(active) => HttpResponse::Ok().json(subscription_object(&active, &active.compiled.warnings)),
        None => missing(&id).response(),
    }
}

/// There is no such subscription.
#[must_use]
pub fn missing(id: &str) -> Problem {
    Problem::not_found(format!("There is no subscription {id:?}."))
}

/// Creates one.
pub async fn create(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let json = json_body::text(payload).await?;
            let put = state.sender.create(&json).await.map_err(problem)?;
            let location = format!("/api/v1/subscriptions/{}", put.active.compiled.id());
            Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(shown(&put)))
        }
        .await,
    )
}

/// Replaces one.
pub async fn replace(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            let json = json_body::text(payload).await?;
            let put = state.sender.replace(&id, &json).await.map_err(problem)?;
            Ok(HttpResponse::Ok().json(shown(&put)))
        }
        .await,
    )
}

/// Changes one by a merge patch.
pub async fn patch(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            let json = json_body::text(payload).await?;
            let put = state.sender.patch(&id, &json).await.map_err(problem)?;
            Ok(HttpResponse::Ok().json(shown(&put)))
        }
        .await,
    )
}

/// Removes one; its messages that wait are cancelled.
pub async fn delete(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    match state.sender.remove(&id).await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(fault) => problem(fault).response(),
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

fn shown(put: &Managed) -> Box<RawValue> {
    subscription_object(&put.active, &put.warnings)
}

/// The faults of a subscription as the API tells them.
#[must_use]
pub fn faults_of(faults: Vec<SubscriptionFault>) -> Vec<FieldFault> {
    faults.into_iter().map(|SubscriptionFault { pointer, message }| FieldFault { pointer, message }).collect()
}

/// Why a subscription was not put.
#[must_use]
pub fn problem(fault: ManageFault) -> Problem {
    match fault {
        ManageFault::Missing(id) => missing(&id),
        ManageFault::ReadOnly(_) => Problem::new(StatusCode::CONFLICT, format!("The {fault}.")),
        ManageFault::Invalid(faults) => Problem::bad_body(faults_of(faults)),
        ManageFault::Store(fault) => Problem::store_fault(&fault),
    }
}
