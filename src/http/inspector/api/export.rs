//! `GET deliveries/{id}/export`: a delivery as a program, an archive, or the wire.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::inspector::InspectorState;
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::Problem;
use crate::inspect::export::{Format, export, test_file_name};

/// The delivery in the requested format.
pub async fn one(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let words = Format::ALL.map(Format::as_str).join(", ");
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let format = params.parsed("as", &format!("one of {words}"), |text| {
        Format::ALL.into_iter().find(|format| format.as_str() == text)
    });
    if let Err(faults) = params.finish(&["as"]) {
        return Problem::bad_parameters(faults).response();
    }
    let delivery = match stored(&id, &state).await {
        Ok(delivery) => delivery,
        Err(problem) => return problem.response(),
    };
    let format = format.unwrap_or(Format::Curl);
    let text = export(&delivery, format, &state.receiver_base(), &state.sources.all());
    let kind = if format == Format::Har { "application/json" } else { "text/plain; charset=utf-8" };
    let mut answer = HttpResponse::Ok();
    if format == Format::Test {
        let disposition = format!("attachment; filename=\"{}\"", test_file_name(&delivery));
        answer.insert_header((CONTENT_DISPOSITION, disposition));
    }
    answer
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'"),
        ))
        .body(text)
}
