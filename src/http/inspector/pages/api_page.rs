//! `/api`: the reference of the API, made from the document that describes it.

use actix_web::http::StatusCode;
use actix_web::http::header::HOST;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::api_view::{Group, SchemaView, groups, schemas};
use super::page::{self, Frame};
use crate::domain::plain;
use crate::http::inspector::api_document::ApiDocument;
use crate::http::inspector::state::InspectorState;

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage {
    frame: Frame,
    groups: Vec<Group>,
    schemas: Vec<SchemaView>,
    needs_password: bool,
}

/// The page.
pub async fn api(
    request: HttpRequest,
    state: web::Data<InspectorState>,
    document: web::Data<ApiDocument>,
) -> HttpResponse {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost:8081");
    let needs_password = state.auth.is_required();
    let public = state.public_url.as_deref().map(|url| url.to_string().trim_end_matches('/').to_owned());
    let base = public.unwrap_or_else(|| format!("http://{}", plain(host)));
    let page = ApiPage {
        frame: Frame::of(&state, "api"),
        groups: groups(document.json(), &base, needs_password),
        schemas: schemas(document.json()),
        needs_password,
    };
    page::html(StatusCode::OK, &page)
}
