//! `/refusals`: requests that reached a port and left no delivery.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::page::{self, Frame};
use crate::domain::{Timestamp, plain};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::When;
use crate::telemetry::RefusedKind;

#[derive(Template)]
#[template(path = "refusals.html")]
struct RefusalsPage {
    frame: Frame,
    refusals: Vec<RefusalView>,
}

struct RefusalView {
    last: When,
    count: u64,
    line: String,
    detail: String,
    status: u16,
    cause: String,
    client: String,
    port: &'static str,
    is_likely: bool,
}

impl RefusalView {
    fn of(kind: RefusedKind, now: Timestamp) -> Self {
        let newest = kind.newest;
        Self {
            last: When::relative(kind.last, now),
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
    let now = state.clock.wall();
    let refusals =
        state.metrics.refusals().list().into_iter().map(|kind| RefusalView::of(kind, now)).collect();
    page::html(StatusCode::OK, &RefusalsPage { frame: Frame::of(&state, "refusals"), refusals })
}
