//! `POST /deliveries/{id}/marks`: pin, note and tags of a delivery, from the form on its page.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};

use super::page;
use crate::http::inspector::json_body;
use crate::http::inspector::operations::marks::{MarksRequest, marked};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::Fields;
use crate::http::inspector::state::InspectorState;

/// Keeps what the form says.
pub async fn keep(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    match put(&state, &id, payload).await {
        Ok(()) => {
            HttpResponse::SeeOther().insert_header((LOCATION, format!("/deliveries/{id}#marks"))).finish()
        }
        Err(problem) => page::message(&state, problem.status(), "It was not kept", &problem.sentences()),
    }
}

async fn put(state: &InspectorState, id: &str, payload: web::Payload) -> Result<(), Problem> {
    let mut fields = Fields::of_form(&json_body::bytes(payload).await?, &["note", "tags"]);
    let mut request: MarksRequest = fields.take();
    fields.finish_form()?;
    // A box that is not ticked is not sent.
    request.pinned = Some(request.pinned.unwrap_or_default());
    marked(state, id, request).await.map(drop)
}
