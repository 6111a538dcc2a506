//! `POST deliveries/replay`, `GET replay-runs`, `GET replay-runs/{id}`, `POST replay-runs/{id}/stop` and `/resume`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::replays::page;
use crate::domain::{ReplayRun, RunState};
use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::{bad, flag, object};
use crate::http::inspector::operations::replay_runs::{Planned, begin, found, order, plan, turned};
use crate::http::inspector::params::{Blank, Params, filter_names};
use crate::http::inspector::problem::{Problem, answer};
use crate::inspect::replay::Group;
use crate::send::redacted_url;
/// The maximum number of ids in a plan.
const NAMED: usize = 100;
/// Members besides those that select deliveries.
const KEYS: [&str; 9] =
    ["filter", "to", "signature", "order", "rate", "concurrency", "stop_on_error", "limit", "dry_run"];

/// Replays many deliveries; with `dry_run`, only lists them.
pub async fn start(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            // `to` is the target; the time of that name is in `filter`.
            let known: Vec<&str> = filter_names(&KEYS).into_iter().filter(|name| *name != "from").collect();
            let members = object(payload, &known).await?;
            let mut faults = Vec::new();
            let is_dry = flag(&members, "dry_run", &mut faults);
            if !faults.is_empty() {
                return Err(bad(faults));
            }
            let planned = plan(&state, &members).await?;
            if is_dry {
                return Ok(HttpResponse::Ok().json(plan_object(&planned, true)));
            }
            let told = plan_object(&planned, false);
            begin(&state, planned).await?;
            Ok(HttpResponse::Accepted().json(told))
        }
        .await,
    )
}

/// The runs, newest first.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let (limit, before) = page(&mut params);
    if let Err(faults) = params.finish(&["limit", "before"]) {
        return Problem::bad_parameters(faults).response();
    }
    match state.store.runs(before, limit.saturating_add(1)).await {
        Err(wrong) => Problem::store_fault(&wrong).response(),
        Ok(mut runs) => {
            let has_more = runs.len() > limit;
            runs.truncate(limit);
            let next = runs.last().filter(|_| has_more).map(|run| run.id.to_string());
            let runs: Vec<Value> = runs.iter().map(run_object).collect();
            HttpResponse::Ok().json(json!({"runs": runs, "next": next}))
        }
    }
}

/// One run.
pub async fn one(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    answer(found(&state, &id).await.map(|run| HttpResponse::Ok().json(run_object(&run))))
}

/// Stops a run.
pub async fn stop(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    answer(turned(&state, &id, RunState::Stopped).await.map(|run| HttpResponse::Ok().json(run_object(&run))))
}

/// Resumes a stopped run.
pub async fn resume(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    answer(turned(&state, &id, RunState::Running).await.map(|run| HttpResponse::Ok().json(run_object(&run))))
}

fn plan_object(planned: &Planned, is_dry: bool) -> Value {
    let Planned { run, plan } = planned;
    let id = |at: Option<&crate::domain::DeliveryId>| at.map(ToString::to_string);
    let group = |group: &Group| {
        json!({"source": group.source, "event_type": Some(&group.event).filter(|event| !event.is_empty()),
            "verdict": group.verdict.as_str(), "count": group.count})
    };
    let named: Vec<String> = plan.deliveries.iter().take(NAMED).map(ToString::to_string).collect();
    json!({
        "dry_run": is_dry,
        "id": (!is_dry).then(|| run.id.to_string()),
        "run_id": (!is_dry).then(|| run.id.to_string()),
        "count": run.total,
        "has_more": plan.has_more,
        "first": id(plan.deliveries.first()),
        "last": id(plan.deliveries.last()),
        "delivery_ids": named,
        "groups": plan.groups.iter().map(group).collect::<Vec<_>>(),
        "to": redacted_url(&run.target),
        "signature": run.signature.as_str(),
        "order": order(run),
        "rate": run.per_second,
        "concurrency": run.concurrency,
        "stop_on_error": run.stops_on_error,
        "seconds": plan.lasts(run.per_second).map(|lasts| lasts.as_secs_f64()),
    })
}

/// A run in responses.
fn run_object(run: &ReplayRun) -> Value {
    json!({
        "id": run.id.to_string(),
        "run_id": run.id.to_string(),
        "started_at": run.id.made_at().to_string(),
        "filter": run.filter,
        "to": redacted_url(&run.target),
        "signature": run.signature.as_str(),
        "order": order(run),
        "rate": run.per_second,
        "concurrency": run.concurrency,
        "stop_on_error": run.stops_on_error,
        "state": run.state.as_str(),
        "why": run.why,
        "total": run.total,
        "done": run.done,
        "sent": run.done.saturating_sub(run.failed).saturating_sub(run.gone),
        "failed": run.failed,
        "gone": run.gone,
    })
}
