//! `GET health`: the endpoints and their states.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::http::inspector::operations::health::endpoints;
use crate::http::inspector::problem::answer;
use crate::http::inspector::state::InspectorState;

/// The state of every endpoint, as the API returns it.
pub async fn health(state: web::Data<InspectorState>) -> HttpResponse {
    answer(endpoints(&state).await.map(|endpoints| HttpResponse::Ok().json(json!({"endpoints": endpoints}))))
}
