//! The response to a sender: the status and, for a 400, the payload's faults. Never an expected value.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use serde::Serialize;

use crate::domain::{DeliveryId, Fault, Reason, Timestamp};

/// The methods of a webhook route.
pub const ALLOWED_METHODS: &str = "GET, HEAD, POST, OPTIONS";
/// The methods among them for clients with data.
pub const METHODS_OF_SENDERS: &str = "POST, OPTIONS";

/// How long a sender should wait if the store cannot accept a delivery.
const BUSY_RETRY_AFTER_S: u64 = 2;

#[derive(Serialize)]
struct Taken<'a> {
    status: &'a str,
    delivery_id: String,
    event_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_received_at: Option<String>,
}

#[derive(Serialize)]
struct Refused<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a [Fault]>,
}

/// 200: accepted, on disk.
pub fn processed(id: DeliveryId, event_id: Option<&str>) -> HttpResponse {
    HttpResponse::Ok().json(Taken {
        status: "processed",
        delivery_id: id.to_string(),
        event_id,
        first_received_at: None,
    })
}

/// 200: the same event was accepted before.
pub fn already_processed(id: DeliveryId, event_id: Option<&str>, first: Timestamp) -> HttpResponse {
    HttpResponse::Ok().json(Taken {
        status: "already_processed",
        delivery_id: id.to_string(),
        event_id,
        first_received_at: Some(first.to_string()),
    })
}

/// A rejection: status and text of its reason, with `faults` for a 400.
pub fn refused(reason: Reason, faults: &[Fault]) -> HttpResponse {
    let status = StatusCode::from_u16(reason.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let details = (status == StatusCode::BAD_REQUEST).then_some(faults);
    HttpResponse::build(status).json(Refused { error: error(reason), details })
}

/// 409: the same id was accepted with another body.
pub fn conflict() -> HttpResponse {
    HttpResponse::Conflict().json(Refused {
        error: error(Reason::IdConflict),
        details: Some(&[Fault::new("", "this event id was accepted before, with another body")]),
    })
}

fn error(reason: Reason) -> &'static str {
    match reason {
        Reason::UnknownSource => "Not found",
        Reason::IpNotAllowed | Reason::HandshakeRefused => "Forbidden",
        Reason::TooLarge => "Payload too large",
        Reason::TooSlow => "Request timeout",
        Reason::CredentialsMissing
        | Reason::CredentialsWrong
        | Reason::SignatureMissing
        | Reason::SignatureMalformed
        | Reason::SignatureMismatch
        | Reason::Stale => "Unauthorized",
        Reason::UnsupportedEncoding => "Unsupported content encoding",
        Reason::Incomplete
        | Reason::HandshakeMalformed
        | Reason::NotJson
        | Reason::InvalidPayload
        | Reason::UnknownEvent
        | Reason::InvalidId => "Invalid payload",
        Reason::IdConflict => "Conflict",
    }
}

/// A response with one line of JSON: `{"error": …}`.
pub fn error_line(status: StatusCode, error: &str) -> HttpResponse {
    HttpResponse::build(status).json(Refused { error, details: None })
}

/// A page for users who open the receiver's address in a browser. It reveals nothing about the configuration.
pub fn page_for_people(status: StatusCode) -> HttpResponse {
    const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/receiver.html"));
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(PAGE)
}

/// 503: a delivery that cannot be stored is not accepted.
pub fn cannot_keep() -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header((RETRY_AFTER, BUSY_RETRY_AFTER_S))
        .json(Refused { error: "Processing failed", details: None })
}

/// 429: over a rate.
pub fn too_many(retry_after_s: u64) -> HttpResponse {
    HttpResponse::TooManyRequests()
        .insert_header((RETRY_AFTER, retry_after_s))
        .json(Refused { error: "Too many requests", details: None })
}

/// No cache may keep a response of the receiver: a probe needs the current state, and every request must reach us.
pub fn never_cached(answer: &mut HttpResponse) {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// 405 with the allowed methods.
pub fn method_not_allowed(allowed: &'static str) -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((ALLOW, allowed))
        .json(Refused { error: "Method not allowed", details: None })
}
