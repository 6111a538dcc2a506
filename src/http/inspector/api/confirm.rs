//! `POST deliveries/{id}/confirm`: opens the link with which a platform confirms an address.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::http::inspector::InspectorState;
use crate::http::inspector::operations::confirm::open;

/// Opens the link of a delivery and returns the response.
pub async fn confirm(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    match open(&state, &id).await {
        Ok((link, status, body)) => {
            HttpResponse::Ok().json(json!({"url": link, "status": status, "body": body}))
        }
        Err(problem) => problem.response(),
    }
}
