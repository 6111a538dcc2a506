//! A JSON Schema generated from one delivery.

use actix_web::http::StatusCode;
use serde_json::Value;

use crate::catalog::{POINTS, SaveFault, save_schema};
use crate::domain::StoredDelivery;
use crate::domain::json::without_mark;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::inspect::drift::infer;

/// A generated schema.
pub struct Inferred {
    /// Its event; `data.received.points` for data points without an envelope.
    pub event_type: String,
    /// The schema, pretty-printed.
    pub text: String,
}

/// The schema of a delivery's payload.
///
/// # Errors
/// 400 if the delivery has no event type, or its body is not JSON.
pub fn inferred(state: &InspectorState, delivery: &StoredDelivery) -> Result<Inferred, Problem> {
    let what = |what: &str| Problem::new(StatusCode::BAD_REQUEST, what);
    let text = state.sources.payload_text(&delivery.row.source, &delivery.headers, &delivery.body);
    let payload: Option<Value> = text.and_then(|text| serde_json::from_slice(without_mark(&text)).ok());
    let payload = payload.ok_or_else(|| what("The body is not valid JSON."))?;
    let event_type = delivery.row.event_type.clone();
    let event_type = event_type.ok_or_else(|| what("The delivery names no event."))?;
    let event_type = if is_of_points(&payload) { POINTS.to_owned() } else { event_type };
    let schema = infer(&event_type, &payload);
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    Ok(Inferred { event_type, text })
}

/// A batch of events is an array too; its items have no variable.
fn is_of_points(payload: &Value) -> bool {
    payload.as_array().and_then(|items| items.first()).is_some_and(|item| item.get("variable").is_some())
}

/// Saves it in `schemas_dir` and returns the file's name.
///
/// # Errors
/// 400 without a `schemas_dir` or if the event's name is not a valid file name, 409 if the file exists, 500 if the
/// folder cannot be written.
pub fn save(state: &InspectorState, inferred: &Inferred) -> Result<String, Problem> {
    let Some(folder) = &state.schemas_dir else {
        let what = "No schemas_dir is configured: there is no place to save it.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, what));
    };
    let saved = save_schema(folder, &inferred.event_type, &format!("{}\n", inferred.text));
    saved.map(|path| path.display().to_string()).map_err(|wrong| {
        let status = match wrong {
            SaveFault::Name(_) | SaveFault::Schema(_) => StatusCode::BAD_REQUEST,
            SaveFault::Exists(_) => StatusCode::CONFLICT,
            SaveFault::Io { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Problem::new(status, format!("It is not saved: {wrong}."))
    })
}
