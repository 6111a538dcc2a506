//! `POST /send-test`: a real, signed `webhook.test`, over HTTP, to our own receiver. It goes through the public address
//! where that is known, and so proves the way from outside.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::page;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::send::SignedSample;

/// The result of a test delivery.
#[derive(Debug, Serialize)]
struct Sent {
    /// The status of the response.
    status: u16,
    /// The public address that it went through; `null`: it went directly to the receiver.
    through: Option<String>,
    /// The delivery, where the response names it.
    delivery_id: Option<String>,
}

/// The part of the receiver's response that names the delivery.
#[derive(Deserialize)]
struct Receipt {
    delivery_id: Option<String>,
}

/// Sends it; browsers go back to the list, programs (and our script) get JSON.
pub async fn send_test(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let wants_json = request.headers().get(ACCEPT).is_some_and(|accept| accept == "application/json");
    match send(&state).await {
        Ok(sent) if wants_json => HttpResponse::Ok().json(sent),
        Ok(_) => HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish(),
        Err(fault) if wants_json => Problem::new(StatusCode::BAD_GATEWAY, fault).response(),
        Err(fault) => {
            page::message(&state, StatusCode::BAD_GATEWAY, "The test delivery was not sent", &fault)
        }
    }
}

async fn send(state: &InspectorState) -> Result<Sent, String> {
    let source = state.first_source().ok_or("There is no source to send to.")?;
    let mut sample = SignedSample::fresh(&source, &state.catalog, state.clock.wall())
        .ok_or_else(|| format!("The secret of source “{}” cannot sign.", source.name))?;
    // An open connection to ourselves would delay the receiver's stop.
    sample.headers.push(("Connection".to_owned(), "close".to_owned()));
    let public = state.public_source_url(&source.name);
    let (client, url) = match &public {
        Some(url) => (state.sender.client(), url.clone()),
        None => (state.client()?, state.source_url(&source.name)),
    };
    let answer = client.post(&url, &sample.headers, Bytes::from(sample.body)).await;
    let answer = answer.map_err(|fault| fault.to_string())?;
    let receipt = serde_json::from_slice(&answer.body).ok();
    Ok(Sent {
        status: answer.status,
        through: public.and_then(|_| state.sources.public()).map(|base| base.to_string()),
        delivery_id: receipt.and_then(|receipt: Receipt| receipt.delivery_id),
    })
}
