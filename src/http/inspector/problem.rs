//! Faults of the API as `application/problem+json` (RFC 9457).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ALLOW;
use serde::Serialize;

/// One fault of a request, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldFault {
    /// JSON pointer into the body, or `/` and the name of a query parameter.
    pub pointer: String,
    /// One sentence.
    pub message: String,
}

/// The error response of a request.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    title: String,
    status: u16,
    detail: String,
    errors: Vec<FieldFault>,
}

impl Problem {
    /// A problem with `status`; `detail` is one sentence.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Fault").to_owned();
        Self { title, status: status.as_u16(), detail: detail.into(), errors: Vec::new() }
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

    /// 404: not found.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 503: the store is unavailable.
    #[must_use]
    pub fn store_fault(fault: &crate::store::StoreError) -> Self {
        if matches!(fault, crate::store::StoreError::TooLong(_)) {
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("It was given up: {fault}."));
        }
        tracing::error!(%fault, "the inspector cannot use the store");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The store cannot be used now.")
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
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

/// 405 with the allowed methods.
#[must_use]
pub fn method_not_allowed(allow: &'static str) -> HttpResponse {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("Use {allow}."));
    let mut answer = problem.response();
    answer.headers_mut().insert(ALLOW, actix_web::http::header::HeaderValue::from_static(allow));
    answer
}

/// An answer, or the problem in its place.
pub fn answer(result: Result<HttpResponse, Problem>) -> HttpResponse {
    result.unwrap_or_else(|problem| problem.response())
}
