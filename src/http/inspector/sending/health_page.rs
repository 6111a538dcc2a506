//! `/health`: the endpoints, looked at and as real deliveries found them; and the figures.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::domain::plain;
use crate::http::api::sending::figures::{Health, Stats, endpoints, together};
use crate::http::inspector::page::{self, Frame};
use crate::http::inspector::row_view::shown_time;
use crate::http::inspector::state::InspectorState;

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    frame: Frame,
    endpoints: Vec<EndpointView>,
    overall: Stats,
}

struct EndpointView {
    id: String,
    name: String,
    url: String,
    status: String,
    seen: String,
    checked_at: String,
    checked: String,
    /// The looks before, the oldest first: status and words.
    history: Vec<(String, String)>,
    last_success: String,
    last_failure: String,
    stats: Stats,
}

/// The page.
pub async fn health(state: web::Data<InspectorState>) -> HttpResponse {
    let figures = match state.store.sender_figures().await {
        Ok(figures) => figures,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let Ok(all) = endpoints(&state).await else {
        return page::message(
            &state,
            StatusCode::SERVICE_UNAVAILABLE,
            "No store",
            "The store cannot be read now.",
        );
    };
    let view = |endpoint: &Health| EndpointView {
        id: endpoint.id.clone(),
        name: plain(&endpoint.name),
        url: plain(&endpoint.url),
        status: endpoint.status.clone(),
        seen: seen(endpoint.response_code, endpoint.response_time_ms, endpoint.error.as_deref()),
        checked: shown_time(endpoint.checked_at.as_deref().unwrap_or_default()),
        checked_at: endpoint.checked_at.clone().unwrap_or_default(),
        history: endpoint
            .history
            .iter()
            .rev()
            .map(|look| {
                let words = seen(look.response_code, look.response_time_ms, look.error.as_deref());
                (look.status.clone(), format!("{}: {words} at {}", look.status, look.checked_at))
            })
            .collect(),
        last_success: shown_time(endpoint.last_success_at.as_deref().unwrap_or_default()),
        last_failure: shown_time(endpoint.last_failure_at.as_deref().unwrap_or_default()),
        stats: figures
            .iter()
            .find(|figures| figures.subscription == endpoint.id)
            .map(Stats::from)
            .unwrap_or_default(),
    };
    let page = HealthPage {
        frame: Frame::of(&state, "health"),
        endpoints: all.iter().map(view).collect(),
        overall: Stats::from(&together(&figures)),
    };
    page::html(StatusCode::OK, &page)
}

fn seen(code: Option<u16>, ms: Option<f64>, error: Option<&str>) -> String {
    match (code, ms, error) {
        (Some(code), Some(ms), _) => format!("HTTP {code} in {ms:.0} ms"),
        (_, _, Some(error)) => plain(error),
        _ => String::new(),
    }
}
