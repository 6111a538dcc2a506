//! `GET refusals`: requests that reached a port and left no delivery, the newest kinds first.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::http::inspector::InspectorState;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::Problem;
use crate::telemetry::RefusedKind;

/// The default number of rows.
const DEFAULT_LIMIT: usize = 50;
/// The maximum number of rows.
const MAX_LIMIT: usize = 500;

/// The list.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let limit = params.parsed("limit", "a number from 1 to 500", |text| {
        text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
    });
    let before = params.parsed("before", "the next of the page before", |text| text.parse::<u64>().ok());
    if let Err(faults) = params.finish(&["limit", "before"]) {
        return Problem::bad_parameters(faults).response();
    }
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let all = state.metrics.refusals().list();
    let from = before.map_or(0, |id| {
        all.iter().position(|kind| kind.id == id).map_or(all.len(), |at| at.saturating_add(1))
    });
    let rest = all.get(from..).unwrap_or_default();
    let page = rest.get(..limit).unwrap_or(rest);
    let next = page.last().filter(|_| rest.len() > page.len()).map(|kind| kind.id.to_string());
    let refusals: Vec<Value> = page.iter().map(object).collect();
    HttpResponse::Ok().json(json!({"refusals": refusals, "next": next}))
}

fn object(kind: &RefusedKind) -> Value {
    let newest = &kind.newest;
    json!({
        "id": kind.id.to_string(),
        "port": newest.port.as_str(),
        "cause": newest.cause.as_str(),
        "status": newest.status,
        "client": newest.client.map(|client| client.to_string()),
        "line": newest.line(),
        "detail": newest.detail,
        "likely": newest.is_likely,
        "count": kind.count,
        "first_at": kind.first.to_string(),
        "last_at": kind.last.to_string(),
    })
}
