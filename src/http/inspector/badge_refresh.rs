//! Reads the counts of the navigation in the background, so that no page waits for them.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::operations::overview;
use super::refusal::is_program;
use super::state::InspectorState;
use crate::inspect::overview::Range;

/// In front of pages: counts that are old are read again while the page is made.
///
/// # Errors
/// None of its own; those of the service behind it.
pub async fn keep_fresh(
    state: web::Data<InspectorState>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_page = reads && !is_program(request.path()) && !request.path().starts_with("/static/");
    let claimed = if is_page { state.badges.claim() } else { None };
    match claimed {
        Some(true) => read(&state).await,
        Some(false) => {
            let state = state.clone();
            actix_web::rt::spawn(async move { read(&state).await });
        }
        None => {}
    }
    let response = next.call(request).await?;
    if !reads {
        state.badges.forget();
    }
    Ok(response)
}

async fn read(state: &InspectorState) {
    // If the store cannot be read, the page itself says so.
    if let Ok((_, beside, told)) = overview::found(state, Range::Day).await {
        state.badges.set(beside.dead, u64::try_from(told.len()).unwrap_or(u64::MAX));
    }
}
