//! `subscriptions`: TagoRUN's webhook configurations.

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::subscription_object::{ParkedObject, SubscriptionInput, SubscriptionObject, SubscriptionPatch};
use crate::http::inspector::api::openapi::{Created, Done, Either, NoContent};
use crate::http::inspector::operations::parked::parked;
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::http::inspector::request::{Limit, Members, Query, Range, Raw};
use crate::http::inspector::state::InspectorState;
use crate::send::{Active, ManageFault, Managed, SubscriptionFault, presets as all_presets};

/// The default number of rows in a list.
const ROWS: usize = 500;

/// A page of the list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct SubscriptionPage {
    /// The maximum number of rows; 500 without it.
    #[param(inline)]
    limit: Option<Limit>,
    /// The `next` of an earlier response.
    before: Option<String>,
}

impl Members for SubscriptionPage {}

/// Subscriptions.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionList {
    subscriptions: Vec<SubscriptionObject>,
    /// Those that are not in force and have messages that wait.
    parked: Vec<ParkedObject>,
    next: Option<String>,
}

/// A subscription that is gone, and what is odd now.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedSubscription {
    id: String,
    warnings: Vec<String>,
}

/// Ready-made subscriptions.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresetList {
    presets: Vec<PresetObject>,
    next: Option<String>,
}

/// A ready-made subscription.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresetObject {
    id: &'static str,
    title: &'static str,
    description: &'static str,
    /// Its configuration.
    #[schema(value_type = Object)]
    subscription: Option<Box<RawValue>>,
}

/// Every subscription, newest first.
pub async fn list(
    Query(page): Query<SubscriptionPage>,
    state: web::Data<InspectorState>,
) -> Result<Done<SubscriptionList>, Problem> {
    let all = state.sender.subscriptions().all();
    let start = page
        .before
        .and_then(|before| all.iter().position(|active| active.compiled.id() == before))
        .map_or(0, |at| at.saturating_add(1));
    let limit = page.limit.map_or(ROWS, Range::size);
    let shown: Vec<_> = all.iter().skip(start).take(limit).collect();
    let has_more = all.len() > start.saturating_add(shown.len());
    let next = shown.last().filter(|_| has_more).map(|active| active.compiled.id().to_owned());
    let parked = parked(&state).await?;
    Ok(Done(SubscriptionList {
        subscriptions: shown.iter().map(|active| object(&state, active)).collect(),
        parked: parked.iter().map(|(parked, figures)| ParkedObject::of(parked, figures)).collect(),
        next,
    }))
}

/// One subscription.
pub async fn one(
    id: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<SubscriptionObject>, Problem> {
    let active = state.sender.subscriptions().get(&id).ok_or_else(|| missing(&state, &id))?;
    Ok(Done(object(&state, &active)))
}

fn object(state: &InspectorState, active: &Active) -> SubscriptionObject {
    SubscriptionObject::of(&state.sender, active, &state.sender.warnings_of(&active.compiled))
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
pub async fn create(
    input: Raw<SubscriptionInput>,
    state: web::Data<InspectorState>,
) -> Result<Created<SubscriptionObject>, Problem> {
    let put = state.sender.create(&input.text()?).await.map_err(|fault| problem(&state, fault))?;
    let location = format!("/api/v1/subscriptions/{}", put.active.compiled.id());
    Ok(Created(shown(&state, &put), Some(location)))
}

/// Replaces a subscription.
pub async fn replace(
    id: web::Path<String>,
    input: Raw<SubscriptionInput>,
    state: web::Data<InspectorState>,
) -> Result<Done<SubscriptionObject>, Problem> {
    let put = state.sender.replace(&id, &input.text()?).await.map_err(|fault| problem(&state, fault))?;
    Ok(Done(shown(&state, &put)))
}

/// Changes a subscription by a merge patch.
pub async fn patch(
    id: web::Path<String>,
    input: Raw<SubscriptionPatch>,
    state: web::Data<InspectorState>,
) -> Result<Done<SubscriptionObject>, Problem> {
    let put = state.sender.patch(&id, &input.text()?).await.map_err(|fault| problem(&state, fault))?;
    Ok(Done(shown(&state, &put)))
}

/// Deletes a subscription, even one that is not in force, and cancels its waiting messages. If it is the fallback of
/// others, the response says so.
pub async fn delete(
    id: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Either<NoContent, Done<RemovedSubscription>>, Problem> {
    let warnings = state.sender.remove(&id).await.map_err(|fault| problem(&state, fault))?;
    if warnings.is_empty() {
        return Ok(Either::First(NoContent));
    }
    Ok(Either::Second(Done(RemovedSubscription { id: id.into_inner(), warnings })))
}

/// Ready-made subscriptions for well-known endpoints.
pub async fn presets() -> Result<Done<PresetList>, Problem> {
    let presets = all_presets().iter().map(|preset| PresetObject {
        id: preset.name,
        title: preset.title,
        description: preset.description,
        subscription: serde_json::from_str(preset.subscription).ok(),
    });
    Ok(Done(PresetList { presets: presets.collect(), next: None }))
}

fn shown(state: &InspectorState, put: &Managed) -> SubscriptionObject {
    SubscriptionObject::of(&state.sender, &put.active, &put.warnings)
}

/// The faults of a subscription as the API returns them.
#[must_use]
pub fn faults_of(faults: Vec<SubscriptionFault>) -> Vec<FieldFault> {
    faults.into_iter().map(|SubscriptionFault { pointer, message }| FieldFault { pointer, message }).collect()
}

/// Why a subscription was not saved.
#[must_use]
fn problem(state: &InspectorState, fault: ManageFault) -> Problem {
    match fault {
        ManageFault::Missing(id) => missing(state, &id),
        ManageFault::ReadOnly(_) => Problem::conflict(format!("The {fault}.")),
        ManageFault::Invalid(faults) => Problem::bad_body(faults_of(faults)),
        ManageFault::Store(fault) => Problem::from(fault),
    }
}
