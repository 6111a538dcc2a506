//! Faults of the API as `application/problem+json` (RFC 9457).

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::StoreError;

/// One fault of a request, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// JSON pointer into the body, or `/` and the name of a query parameter.
    pub pointer: String,
    /// One sentence.
    pub message: String,
}

/// The error response of a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What the status means.
    title: String,
    /// The status of the response.
    status: u16,
    /// What is wrong, and what to do.
    detail: String,
    /// What is wrong with each member or parameter.
    errors: Vec<FieldFault>,
}

impl Problem {
    /// A problem with `status`; `detail` is one sentence.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Fault").to_owned();
        Self { title, status: status.as_u16(), detail: detail.into(), errors: Vec::new() }
    }

    /// The same with these faults.
    #[must_use]
    pub fn with_errors(self, errors: Vec<FieldFault>) -> Self {
        Self { errors, ..self }
    }

    /// 400: invalid parameters.
    #[must_use]
    pub fn bad_parameters(errors: Vec<FieldFault>) -> Self {
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, "The query parameters are not valid.") }
    }

    /// 400: an invalid body.
    #[must_use]
    pub fn bad_body(errors: Vec<FieldFault>) -> Self {
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, "The request body is not valid.") }
    }

    /// The same faults, of the body.
    #[must_use]
    pub fn of_body(self) -> Self {
        Self::bad_body(self.errors)
    }

    /// 404: not found.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: the state of things does not allow it.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What is wrong with members or parameters.
    #[must_use]
    pub fn into_faults(self) -> Vec<FieldFault> {
        self.errors
    }

    /// All its sentences, for a page.
    #[must_use]
    pub fn sentences(&self) -> String {
        let faults = self.errors.iter().map(|fault| format!(" {} {}", fault.pointer, fault.message));
        format!("{}{}", self.detail, faults.collect::<Vec<_>>().join(";"))
    }

    /// The response.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let body = serde_json::to_string(self).unwrap_or_default();
        HttpResponse::build(self.status()).content_type("application/problem+json").body(body)
    }
}

/// The store is unavailable: 503.
impl From<StoreError> for Problem {
    fn from(fault: StoreError) -> Self {
        Self::from(&fault)
    }
}

impl From<&StoreError> for Problem {
    fn from(fault: &StoreError) -> Self {
        if matches!(fault, StoreError::TooLong(_)) {
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("It was given up: {fault}."));
        }
        tracing::error!(%fault, "the inspector cannot use the store");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The store cannot be used now.")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.sentences())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

/// 405 with the allowed methods.
#[must_use]
pub fn method_not_allowed(allow: &str) -> HttpResponse {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("Use {allow}."));
    let mut answer = problem.response();
    if let Ok(allow) = HeaderValue::from_str(allow) {
        answer.headers_mut().insert(ALLOW, allow);
    }
    answer
}
