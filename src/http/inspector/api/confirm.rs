//! `POST deliveries/{id}/confirm`: opens the link with which a platform confirms an address.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::Done;
use crate::http::inspector::operations::confirm::open;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;

/// What the link answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Confirmation {
    /// The link.
    url: String,
    status: u16,
    /// The start of the response.
    body: String,
}

/// Opens the link of a delivery and returns the response.
pub async fn confirm(
    id: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<Confirmation>, Problem> {
    let (url, status, body) = open(&state, &id).await?;
    Ok(Done(Confirmation { url, status, body }))
}
