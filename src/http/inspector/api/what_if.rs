//! `POST what-if`, `GET what-if/{id}`, `DELETE what-if/{id}`.

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::openapi::{Accepted, Done, NoContent};
use crate::http::inspector::operations::what_if::{WhatIfRequest, run, sentence, word};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{Json, Members, Offset, Query, Range};
use crate::http::inspector::state::InspectorState;
use crate::inspect::what_if::{Flip, Progress};

/// Flips of a page.
const PAGE: usize = 100;

/// From which flip on.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct FlipParams {
    /// The `next` of an earlier response.
    #[param(inline)]
    from: Option<Offset>,
}

impl Members for FlipParams {}

/// A run that was started.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartedRun {
    id: String,
}

/// A run: how far it is, and what it found.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhatIfObject {
    id: String,
    source: String,
    /// `running`, `done` or `cancelled`.
    state: &'static str,
    done: usize,
    total: usize,
    summary: Summary,
    /// The rules as lines of the configuration.
    configuration: String,
    /// Deliveries that would be decided otherwise.
    flips: Vec<FlipObject>,
    next: Option<String>,
}

/// What a run found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Summary {
    would_pass: usize,
    would_be_refused: usize,
    other_reason: usize,
    /// Deliveries that would have another event type or id.
    other_event: usize,
    cannot_tell: usize,
    sentence: String,
}

/// A delivery that would be decided otherwise.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlipObject {
    delivery_id: String,
    /// `passes`, or the reason.
    before: &'static str,
    after: &'static str,
    /// The check that decides.
    check: Option<&'static str>,
    seen: String,
}

/// Starts a run.
pub async fn start(
    Json(request): Json<WhatIfRequest>,
    state: web::Data<InspectorState>,
) -> Result<Accepted<StartedRun>, Problem> {
    let id = run(&state, request)?.to_string();
    Ok(Accepted(StartedRun { id }))
}

/// How far a run is, and what it found.
pub async fn one(
    id: web::Path<String>,
    Query(params): Query<FlipParams>,
    state: web::Data<InspectorState>,
) -> Result<Done<WhatIfObject>, Problem> {
    let progress = id.parse().ok().and_then(|id| state.what_if.progress(id)).ok_or_else(missing)?;
    Ok(Done(object(&progress, params.from.map_or(0, Range::size))))
}

/// Ends a run.
pub async fn cancel(id: web::Path<String>, state: web::Data<InspectorState>) -> Result<NoContent, Problem> {
    let is_cancelled = id.parse().is_ok_and(|id| state.what_if.cancel(id));
    is_cancelled.then_some(NoContent).ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::not_found("There is no such run; a few of the last ones are remembered until the program ends.")
}

fn object(progress: &Progress, from: usize) -> WhatIfObject {
    let flips: Vec<FlipObject> = progress.flips.iter().skip(from).take(PAGE).map(flip).collect();
    let next = from.saturating_add(flips.len());
    WhatIfObject {
        id: progress.id.to_string(),
        source: progress.source.clone(),
        state: progress.state.as_str(),
        done: progress.done,
        total: progress.total,
        summary: Summary {
            would_pass: progress.would_pass,
            would_be_refused: progress.would_be_refused,
            other_reason: progress.other_reason,
            other_event: progress.other_event,
            cannot_tell: progress.cannot_tell,
            sentence: sentence(progress),
        },
        configuration: progress.configuration.clone(),
        flips,
        next: (next < progress.flips.len()).then(|| next.to_string()),
    }
}

fn flip(flip: &Flip) -> FlipObject {
    FlipObject {
        delivery_id: flip.id.to_string(),
        before: word(&flip.before),
        after: word(&flip.after),
        check: flip.gate.map(crate::domain::Gate::as_str),
        seen: flip.seen.clone(),
    }
}
