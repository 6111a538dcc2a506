//! `/refusals`: requests that reached a port and left no delivery.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::page::{self, Frame};
use super::row_view::shown_time;
use super::state::InspectorState;
use crate::domain::plain;
use crate::telemetry::RefusedKind;

#[derive(Template)]
#[template(path = "refusals.html")]
struct RefusalsPage {
    frame: Frame,
    refusals: Vec<RefusalView>,
}

struct RefusalView {
    time: String,
    at: String,
    count: u64,
    line: String,
    detail: String,
    status: u16,
    cause: String,
    client: String,
    port: &'static str,
    is_likely: bool,
}

impl From<RefusedKind> for RefusalView {
    fn from(kind: RefusedKind) -> Self {
        let at = kind.last.to_string();
        let newest = kind.newest;
        Self {
            time: shown_time(&at),
            at,
            count: kind.count,
            line: plain(&newest.line()),
            detail: plain(&newest.detail),
            status: newest.status,
            cause: newest.cause.as_str().replace('_', " "),
            client: newest.client.map(|client| client.to_string()).unwrap_or_default(),
            port: newest.port.as_str(),
            is_likely: newest.is_likely,
        }
    }
}

/// The page.
pub async fn refusals(state: web::Data<InspectorState>) -> HttpResponse {
    let refusals = state.metrics.refusals().list().into_iter().map(RefusalView::from).collect();
    page::html(StatusCode::OK, &RefusalsPage { frame: Frame::of(&state, "overview"), refusals })
}
