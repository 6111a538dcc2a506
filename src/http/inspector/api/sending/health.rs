//! `GET health`: the endpoints and their states.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::inspector::api::openapi::Done;
use crate::http::inspector::operations::health::{Health, endpoints};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;

/// Endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthList {
    endpoints: Vec<Health>,
}

/// The state of every endpoint.
pub async fn health(state: web::Data<InspectorState>) -> Result<Done<HealthList>, Problem> {
    Ok(Done(HealthList { endpoints: endpoints(&state).await? }))
}
