//! Replays of many deliveries.

use actix_web::http::StatusCode;
use serde_json::{Map, Value};

use super::replay::{signature, target};
use crate::config;
use crate::domain::{DeliveryFilter, ReplayId, ReplayRun, RunState};
use crate::http::inspector::json_body::{bad, fault, flag};
use crate::http::inspector::params::{Blank, Params, filter, filter_names};
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::http::inspector::state::InspectorState;
use crate::inspect::replay::{MOST, Plan, ReplayRuns, Turned};

/// The maximum number of parallel requests.
const MOST_AT_ONCE: u64 = 32;

/// What a run will do.
pub struct Planned {
    /// The run, not started.
    pub run: ReplayRun,
    /// Its deliveries.
    pub plan: Plan,
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

/// The order, as one word.
pub const fn order(run: &ReplayRun) -> &'static str {
    if run.is_newest_first { "newest" } else { "oldest" }
}
