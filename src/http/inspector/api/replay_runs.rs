//! `POST deliveries/replay`, `GET replay-runs`, `GET replay-runs/{id}`, `POST replay-runs/{id}/stop` and `/resume`.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::openapi::{Accepted, Body, Done, Either, Part, Schemas, fields, together};
use super::replay_objects::{PlanObject, RunObject};
use super::replays::IdPage;
use crate::domain::RunState;
use crate::http::inspector::operations::replay_runs::{
    RunOptions, RunRequest, Selection, begin, found, plan, turned,
};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{DeliveryParams, Json, Query, cut};
use crate::http::inspector::state::InspectorState;

impl Body for RunRequest {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        // `to` is the target here; the time of that name is in `filter`.
        let parts: [Part; 3] = [
            (fields::<DeliveryParams>, &["from", "to"]),
            (fields::<Selection>, &[]),
            (fields::<RunOptions>, &[]),
        ];
        together("RunRequest", &parts, schemas)
    }
}

/// Runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunList {
    runs: Vec<RunObject>,
    next: Option<String>,
}

/// Replays many deliveries; with `dry_run`, only lists them.
pub async fn start(
    Json(request): Json<RunRequest>,
    state: web::Data<InspectorState>,
) -> Result<Either<Done<PlanObject>, Accepted<PlanObject>>, Problem> {
    let is_dry = request.options.dry_run.unwrap_or_default();
    let planned = plan(&state, request).await?;
    let told = PlanObject::of(&planned, is_dry);
    if is_dry {
        return Ok(Either::First(Done(told)));
    }
    begin(&state, planned).await?;
    Ok(Either::Second(Accepted(told)))
}

/// The runs, newest first.
pub async fn list(
    Query(page): Query<IdPage>,
    state: web::Data<InspectorState>,
) -> Result<Done<RunList>, Problem> {
    let (limit, before) = page.rows();
    let mut runs = state.store.runs(before, limit.saturating_add(1)).await?;
    let next = cut(&mut runs, limit, |run| run.id.to_string());
    Ok(Done(RunList { runs: runs.iter().map(RunObject::from).collect(), next }))
}

/// One run.
pub async fn one(
    id: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<RunObject>, Problem> {
    Ok(Done(RunObject::from(&found(&state, &id).await?)))
}

/// Stops a run.
pub async fn stop(
    id: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<RunObject>, Problem> {
    Ok(Done(RunObject::from(&turned(&state, &id, RunState::Stopped).await?)))
}

/// Resumes a stopped run.
pub async fn resume(
    id: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<RunObject>, Problem> {
    Ok(Done(RunObject::from(&turned(&state, &id, RunState::Running).await?)))
}
