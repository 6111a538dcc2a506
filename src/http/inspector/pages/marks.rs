//! `POST /deliveries/{id}/marks`: pin, note and tags of a delivery, from the form on its page.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value};

use super::page;
use crate::http::inspector::json_body;
use crate::http::inspector::operations::marks::{change, marked};
use crate::http::inspector::problem::Problem;
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
    let form = json_body::bytes(payload).await?;
    let field = |name: &str| {
        let found = form_urlencoded::parse(&form).find(|(known, _)| known == name);
        found.map(|(_, value)| value.replace("\r\n", "\n")).unwrap_or_default()
    };
    let tags = field("tags");
    let tags = tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(Value::from).collect();
    let members = Map::from_iter([
        ("pinned".to_owned(), Value::Bool(field("pinned") == "yes")),
        ("note".to_owned(), Value::from(field("note"))),
        ("tags".to_owned(), Value::Array(tags)),
    ]);
    marked(state, id, change(&members)?).await.map(drop)
}
