//! `POST /send-test`: a real, signed `webhook.test`, over HTTP, to our own receiver.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;

use super::page;
use super::state::InspectorState;
use crate::http::problem::Problem;
use crate::send::SignedSample;

/// Sends it; browsers go back to the list, programs (and our script) get JSON.
pub async fn send_test(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let wants_json = request.headers().get(ACCEPT).is_some_and(|accept| accept == "application/json");
    match send(&state).await {
        Ok(status) if wants_json => HttpResponse::Ok().json(serde_json::json!({"status": status})),
        Ok(_) => HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish(),
        Err(fault) if wants_json => Problem::new(StatusCode::BAD_GATEWAY, fault).response(),
        Err(fault) => {
            page::message(&state, StatusCode::BAD_GATEWAY, "The test delivery was not sent", &fault)
        }
    }
}

/// The status that the receiver answered.
async fn send(state: &InspectorState) -> Result<u16, String> {
    let source = state.first_source().ok_or("There is no source to send to.")?;
    let mut sample = SignedSample::fresh(&source, &state.catalog, state.clock.wall())
        .ok_or_else(|| format!("The secret of source “{}” cannot sign.", source.name))?;
    let url = state.source_url(&source.name);
    // A connection kept to ourselves would hold up the receiver's stop.
    sample.headers.push(("Connection".to_owned(), "close".to_owned()));
    let sent = state.client()?.post(&url, &sample.headers, Bytes::from(sample.body)).await;
    sent.map(|answer| answer.status).map_err(|fault| fault.to_string())
}
