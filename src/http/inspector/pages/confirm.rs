//! The button of a platform's question: `POST /deliveries/{id}/confirm`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::page;
use crate::domain::plain;
use crate::http::inspector::operations::confirm::open;
use crate::http::inspector::state::InspectorState;

/// So much of an answer is shown, in characters.
const SHOWN: usize = 600;

/// Opens the link, and shows what was answered.
pub async fn confirm(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    match open(&state, &id).await {
        Ok((_, status, body)) => {
            let title = if (200..300).contains(&status) { "Confirmed" } else { "Not confirmed" };
            let shown: String = body.chars().take(SHOWN).collect();
            let detail = format!("The link answered {status}. {}", plain(&shown));
            page::message(&state, StatusCode::OK, title, detail.trim())
        }
        Err(problem) => page::message(&state, problem.status(), "Not confirmed", &problem.sentences()),
    }
}
