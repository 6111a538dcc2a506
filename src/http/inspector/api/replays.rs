//! `POST deliveries/{id}/replay`, `GET replays`, `GET replays/{id}`.

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::openapi::{Accepted, Done};
use super::replay_objects::{NewReplay, ReplayObject};
use crate::domain::ReplayId;
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::operations::replay::{ReplayRequest, replayed};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Json, Limit, Members, Query, Range, ReplayIdParam, cut};
use crate::http::inspector::state::InspectorState;
use crate::inspect::replay::{Target, left_out};

/// A page of a list whose positions are ids.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct IdPage {
    /// The maximum number of rows; 50 without it.
    #[param(inline)]
    pub limit: Option<Limit>,
    /// The `next` of an earlier response.
    #[param(inline)]
    pub before: Option<ReplayIdParam>,
}

impl Members for IdPage {}

impl IdPage {
    /// How many rows, and before which.
    pub fn rows(&self) -> (usize, Option<ReplayId>) {
        (self.limit.map_or(50, Range::size), self.before.map(|As(id)| id))
    }
}

/// Which replays.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct ReplayParams {
    /// Those of this run.
    #[param(inline)]
    pub run: Option<ReplayIdParam>,
}

impl Members for ReplayParams {}

/// Replays.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayList {
    replays: Vec<ReplayObject>,
    next: Option<String>,
}

/// Sends a delivery again.
pub async fn replay(
    id: web::Path<String>,
    Json(request): Json<ReplayRequest>,
    state: web::Data<InspectorState>,
) -> Result<Accepted<NewReplay>, Problem> {
    let asked = request.asked(&state)?;
    let delivery = stored(&id, &state).await?;
    let to_url = matches!(asked.target, Target::Url(_));
    let query_left_out = if to_url { left_out(&delivery.row.path) } else { Vec::new() };
    let replay = replayed(&state, delivery, &asked).await?;
    Ok(Accepted(NewReplay { replay: ReplayObject::from(&replay), query_left_out }))
}

/// The replays, newest first.
pub async fn list(
    Query((page, params)): Query<(IdPage, ReplayParams)>,
    state: web::Data<InspectorState>,
) -> Result<Done<ReplayList>, Problem> {
    let (limit, before) = page.rows();
    let run = params.run.map(|As(run)| run);
    let mut replays = state.store.replays(run, before, limit.saturating_add(1)).await?;
    let next = cut(&mut replays, limit, |replay| replay.id.to_string());
    Ok(Done(ReplayList { replays: replays.iter().map(ReplayObject::from).collect(), next }))
}

/// One replay.
pub async fn one(
    id: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<ReplayObject>, Problem> {
    let missing = || Problem::not_found("There is no replay of that id; they are kept for thirty days.");
    let id: ReplayId = id.parse().map_err(|_| missing())?;
    let replay = state.store.replay(id).await?.ok_or_else(missing)?;
    Ok(Done(ReplayObject::from(&replay)))
}
