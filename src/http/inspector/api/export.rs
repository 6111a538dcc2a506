//! `GET deliveries/{id}/export`: a delivery as a program, an archive, or the wire.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::openapi::Text;
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Members, Query, Word, one_of};
use crate::http::inspector::state::InspectorState;
use crate::inspect::export::{Format, export, test_file_name};

/// `Format` as a request writes it.
type FormatParam = As<Format>;

/// The form of an export.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct ExportParams {
    /// The format; `curl` without it.
    #[param(inline)]
    r#as: Option<FormatParam>,
}

impl Members for ExportParams {}

impl Word for Format {
    fn expected() -> String {
        format!("one of {}", Self::ALL.map(Self::as_str).join(", "))
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(None)
    }

    fn schema() -> RefOr<Schema> {
        one_of(&Self::ALL.map(Self::as_str))
    }
}

/// The delivery in the requested format.
pub async fn one(
    id: web::Path<String>,
    Query(params): Query<ExportParams>,
    state: web::Data<InspectorState>,
) -> Result<Text, Problem> {
    let delivery = stored(&id, &state).await?;
    let format = params.r#as.map_or(Format::Curl, |As(format)| format);
    let text = export(&delivery, format, &state.receiver, &state.sources.all());
    let kind = if format == Format::Har { "application/json" } else { "text/plain; charset=utf-8" };
    let mut answer = HttpResponse::Ok();
    if format == Format::Test {
        let disposition = format!("attachment; filename=\"{}\"", test_file_name(&delivery));
        answer.insert_header((CONTENT_DISPOSITION, disposition));
    }
    answer.insert_header((CONTENT_TYPE, kind)).insert_header((
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'"),
    ));
    Ok(Text(answer.body(text)))
}
