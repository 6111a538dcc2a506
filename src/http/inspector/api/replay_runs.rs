//! `POST deliveries/replay`, `GET replay-runs`, `GET replay-runs/{id}`, `POST replay-runs/{id}/stop` and `/resume`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::replays::{page, signature, target};
use crate::config;
use crate::domain::{DeliveryFilter, ReplayId, ReplayRun, RunState};
use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::{bad, fault, flag, object};
use crate::http::inspector::params::{Blank, Params, filter, filter_names};
use crate::http::inspector::problem::{FieldFault, Problem, answer};
use crate::inspect::replay::{Group, MOST, Plan, ReplayRuns, Turned};
use crate::send::redacted_url;

/// The maximum number of parallel requests.
const MOST_AT_ONCE: u64 = 32;
/// The maximum number of ids in a plan.
const NAMED: usize = 100;
/// Members besides those that select deliveries.
const KEYS: [&str; 9] =
    ["filter", "to", "signature", "order", "rate", "concurrency", "stop_on_error", "limit", "dry_run"];

/// What a run will do.
pub struct Planned {
    /// The run, not started.
    pub run: ReplayRun,
    /// Its deliveries.
    pub plan: Plan,
}

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

/// Finds the requested deliveries.
///
/// # Errors
/// 400 with every fault; 503 if the store cannot be read.
pub async fn plan(state: &InspectorState, members: &Map<String, Value>) -> Result<Planned, Problem> {
    let mut faults = Vec::new();
    let (chosen, text) = chosen(members, &mut faults);
    let target = target(state, members.get("to"), &mut faults);
    let signature = signature(members.get("signature"), &mut faults);
    let is_newest_first = match members.get("order").map(Value::as_str) {
        None | Some(Some("oldest")) => false,
        Some(Some("newest")) => true,
        Some(_) => {
            faults.push(fault("/order", "oldest or newest, which is sent first"));
            false
        }
    };
    let per_second = rate(members.get("rate"), &mut faults);
    let concurrency = number(members, "concurrency", MOST_AT_ONCE, &mut faults).unwrap_or(1);
    let limit = number(members, "limit", u64::try_from(MOST).unwrap_or(u64::MAX), &mut faults);
    let stops_on_error = flag(members, "stop_on_error", &mut faults);
    let (Some(target), Some(signature), true) = (target, signature, faults.is_empty()) else {
        return Err(bad(faults));
    };
    let most = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MOST);
    let plan = Plan::of(&state.store, &chosen, most, is_newest_first).await;
    let plan = plan.map_err(|wrong| Problem::store_fault(&wrong))?;
    if plan.has_more && limit.is_none() {
        let why = format!("finds more than {MOST} deliveries; narrow it, or say a limit");
        return Err(bad(vec![fault("/filter", &why)]));
    }
    let run = ReplayRun {
        id: ReplayId::new_at(state.clock.wall()),
        filter: text,
        target: target.to_string(),
        signature,
        is_newest_first,
        per_second,
        concurrency: u32::try_from(concurrency).unwrap_or(1),
        stops_on_error,
        state: RunState::Running,
        why: None,
        total: u32::try_from(plan.deliveries.len()).unwrap_or(u32::MAX),
        done: 0,
        failed: 0,
        gone: 0,
    };
    Ok(Planned { run, plan })
}

/// Starts a planned run.
///
/// # Errors
/// 503 if it cannot be stored.
pub async fn begin(state: &InspectorState, planned: Planned) -> Result<ReplayId, Problem> {
    let runs = runs(state)?;
    let id = planned.run.id;
    let started = runs.start(planned.run, &planned.plan.deliveries).await;
    started.map_err(|wrong| Problem::store_fault(&wrong)).map(|()| id)
}

fn runs(state: &InspectorState) -> Result<&ReplayRuns, Problem> {
    state.replay_runs().map_err(|why| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why))
}

/// Which deliveries: `filter`, an object with a list's parameters or a query, and the same parameters at the top level.
fn chosen(members: &Map<String, Value>, faults: &mut Vec<FieldFault>) -> (DeliveryFilter, String) {
    let mut text = form_urlencoded::Serializer::new(String::new());
    let mut wrong = Vec::new();
    let mut put = |name: &str, value: &Value| match value {
        Value::Null => {}
        Value::String(value) => drop(text.append_pair(name, value)),
        Value::Array(ids) if name == "ids" && ids.iter().all(Value::is_string) => {
            let ids: Vec<&str> = ids.iter().filter_map(Value::as_str).collect();
            text.append_pair(name, &ids.join(","));
        }
        Value::Array(_) | Value::Object(_) => wrong.push(fault(&format!("/{name}"), "a text or a number")),
        other => drop(text.append_pair(name, &other.to_string())),
    };
    for name in filter_names(&[]).into_iter().filter(|name| !["from", "to"].contains(name)) {
        members.get(name).into_iter().for_each(|value| put(name, value));
    }
    match members.get("filter") {
        None | Some(Value::Null) => {}
        Some(query @ Value::String(_)) => put("q", query),
        Some(Value::Object(filter)) => filter.iter().for_each(|(name, value)| put(name, value)),
        Some(_) => faults.push(fault("/filter", "an object of a list's parameters, or a query in quotes")),
    }
    faults.append(&mut wrong);
    let text = text.finish();
    let mut params = Params::read(&text, Blank::Fault);
    let filter = filter(&mut params);
    faults.extend(params.finish(&filter_names(&[])).err().into_iter().flatten());
    (filter, text)
}

/// The maximum rate per second: a number, or text such as `"50/s"`.
fn rate(value: Option<&Value>, faults: &mut Vec<FieldFault>) -> Option<f64> {
    let expected = "a number of deliveries a second, or a rate as \"50/s\" or \"1000/min\"; more than 0";
    let found = match value {
        None | Some(Value::Null) => return None,
        Some(Value::String(text)) => config::rate(text).ok().map(|rate| rate.per_second()),
        Some(value) => value.as_f64(),
    };
    let found = found.filter(|rate| rate.is_finite() && *rate >= 1e-5);
    if found.is_none() {
        faults.push(fault("/rate", expected));
    }
    found
}

fn number(members: &Map<String, Value>, key: &str, most: u64, faults: &mut Vec<FieldFault>) -> Option<u64> {
    let value = members.get(key).filter(|value| !value.is_null())?;
    let found = value.as_u64().filter(|number| (1..=most).contains(number));
    if found.is_none() {
        faults.push(fault(&format!("/{key}"), &format!("a number from 1 to {most}")));
    }
    found
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

/// The run with this id.
///
/// # Errors
/// 404, 503.
pub async fn found(state: &InspectorState, id: &str) -> Result<ReplayRun, Problem> {
    let missing = || Problem::not_found("There is no run of that id; the last 200 are kept.");
    let id: ReplayId = id.parse().map_err(|_| missing())?;
    let found = state.store.run(id).await.map_err(|wrong| Problem::store_fault(&wrong))?;
    found.ok_or_else(missing)
}

/// Stops or resumes a run.
///
/// # Errors
/// 404; 409 if its state does not allow it; 503.
pub async fn turned(state: &InspectorState, id: &str, to: RunState) -> Result<ReplayRun, Problem> {
    let run = found(state, id).await?;
    let runs = runs(state)?;
    let turned = match to {
        RunState::Running => runs.resume(run.id).await,
        _ => runs.stop(run.id).await.map(|is_so| if is_so { Turned::Done } else { Turned::NotSo }),
    };
    let conflict = |why: String| Err(Problem::new(StatusCode::CONFLICT, why));
    match turned.map_err(|wrong| Problem::store_fault(&wrong))? {
        Turned::Done => found(state, id).await,
        Turned::NotYet => {
            conflict("What was under way is not answered yet; try again in a minute.".to_owned())
        }
        Turned::NotSo => {
            let state = found(state, id).await?.state.as_str();
            conflict(format!("The run is {state}."))
        }
    }
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

/// The order, as one word.
pub const fn order(run: &ReplayRun) -> &'static str {
    if run.is_newest_first { "newest" } else { "oldest" }
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
