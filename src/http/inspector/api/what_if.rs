//! `POST what-if`, `GET what-if/{id}`, `DELETE what-if/{id}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::object;
use crate::http::inspector::operations::what_if::{run, sentence, word};
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{Problem, answer};
use crate::inspect::what_if::{Flip, Progress};
/// Flips of a page.
const PAGE: usize = 100;

/// Starts a run.
pub async fn start(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let members = object(payload, &["source", "draft", "schemas", "last", "q"]).await?;
            let id = run(&state, &members)?;
            Ok(HttpResponse::Accepted().json(json!({"id": id.to_string()})))
        }
        .await,
    )
}

/// How far a run is, and what it found.
pub async fn one(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let from = params.parsed("from", "the next of an earlier response", |text| text.parse::<usize>().ok());
    if let Err(faults) = params.finish(&["from"]) {
        return Problem::bad_parameters(faults).response();
    }
    match id.parse().ok().and_then(|id| state.what_if.progress(id)) {
        Some(progress) => HttpResponse::Ok().json(object_of(&progress, from.unwrap_or(0))),
        None => missing().response(),
    }
}

/// Ends a run.
pub async fn cancel(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    match id.parse() {
        Ok(id) if state.what_if.cancel(id) => HttpResponse::NoContent().finish(),
        _ => missing().response(),
    }
}

fn missing() -> Problem {
    Problem::not_found("There is no such run; a few of the last ones are remembered until the program ends.")
}

fn object_of(progress: &Progress, from: usize) -> Value {
    let page: Vec<Value> = progress.flips.iter().skip(from).take(PAGE).map(flip_object).collect();
    let next = from.saturating_add(page.len());
    json!({
        "id": progress.id.to_string(),
        "source": progress.source,
        "state": progress.state.as_str(),
        "done": progress.done,
        "total": progress.total,
        "summary": {
            "would_pass": progress.would_pass,
            "would_be_refused": progress.would_be_refused,
            "other_reason": progress.other_reason,
            "other_event": progress.other_event,
            "cannot_tell": progress.cannot_tell,
            "sentence": sentence(progress),
        },
        "configuration": progress.configuration,
        "flips": page,
        "next": (next < progress.flips.len()).then(|| next.to_string()),
    })
}

fn flip_object(flip: &Flip) -> Value {
    json!({
        "delivery_id": flip.id.to_string(),
        "before": word(&flip.before),
        "after": word(&flip.after),
        "check": flip.gate.map(crate::domain::Gate::as_str),
        "seen": flip.seen,
    })
}
