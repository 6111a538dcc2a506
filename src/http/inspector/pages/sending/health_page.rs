//! `/health`: the endpoints, by real attempts and by our health checks; and the figures of all attempts.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::domain::{Timestamp, counted, grouped, plain};
use crate::http::inspector::operations::figures::{Stats, together};
use crate::http::inspector::operations::health::{Health, endpoints};
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::{When, millis};

/// The states that need attention, the worst first.
const UNWELL: [&str; 3] = ["unreachable", "unhealthy", "degraded"];

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    frame: Frame,
    /// What is most important, in a sentence.
    headline: String,
    endpoints: Vec<EndpointView>,
    /// Figures of all attempts: name and value.
    overall: Vec<(&'static str, String)>,
}

struct EndpointView {
    id: String,
    name: String,
    url: String,
    status: String,
    is_disabled: bool,
    /// Why it is in that state.
    why: String,
    /// The earlier checks, the oldest first: status and words.
    history: Vec<(String, String)>,
    checked: When,
    /// Real attempts: `10 of 27 succeeded`, or `–`.
    attempts: String,
    p95: String,
    last_success: When,
    last_failure: When,
}

/// The page.
pub async fn health(state: web::Data<InspectorState>) -> HttpResponse {
    let figures = match state.store.sender_figures().await {
        Ok(figures) => figures,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let all = match endpoints(&state).await {
        Ok(all) => all,
        Err(_) => return page::no_store(&state),
    };
    let now = state.clock.wall();
    let view = |endpoint: &Health| {
        let own = figures.iter().find(|figures| figures.subscription == endpoint.id);
        let is_disabled =
            state.sender.subscriptions().get(&endpoint.id).is_some_and(|active| !active.is_enabled());
        view(endpoint, &own.map(Stats::from).unwrap_or_default(), is_disabled, now)
    };
    let mut views: Vec<EndpointView> = all.iter().map(view).collect();
    let rank = |status: &str| UNWELL.iter().position(|known| *known == status).unwrap_or(UNWELL.len());
    views.sort_by_key(|endpoint| (endpoint.is_disabled, rank(&endpoint.status)));
    let stats = Stats::from(&together(&figures));
    let page = HealthPage {
        frame: Frame::of(&state, "health"),
        headline: headline(&views),
        endpoints: views,
        overall: overall(&stats),
    };
    page::html(StatusCode::OK, &page)
}

fn headline(endpoints: &[EndpointView]) -> String {
    let watched = endpoints.iter().filter(|endpoint| !endpoint.is_disabled);
    let (mut of, mut unwell, mut unknown) = (0_u64, 0_u64, 0_u64);
    for endpoint in watched {
        of = of.saturating_add(1);
        unwell = unwell.saturating_add(u64::from(UNWELL.contains(&endpoint.status.as_str())));
        unknown = unknown.saturating_add(u64::from(endpoint.status == "unknown"));
    }
    match (of, unwell, unknown) {
        (0, ..) => "No enabled endpoints.".to_owned(),
        (1, 0, 0) => "The endpoint is healthy.".to_owned(),
        (_, 0, 0) => format!("All {of} endpoints are healthy."),
        (_, 0, _) => format!("{} not checked yet.", counted(unknown, "endpoint")),
        (1, ..) => "The endpoint needs attention.".to_owned(),
        (_, 1, _) => format!("1 of {of} endpoints needs attention."),
        _ => format!("{unwell} of {of} endpoints need attention."),
    }
}

fn view(endpoint: &Health, stats: &Stats, is_disabled: bool, now: Timestamp) -> EndpointView {
    let time = |text: &Option<String>| text.as_deref().and_then(Timestamp::parse_rfc3339);
    EndpointView {
        id: endpoint.id.clone(),
        name: plain(&endpoint.name),
        url: plain(&endpoint.url),
        status: endpoint.status.clone(),
        is_disabled,
        why: why(endpoint),
        checked: When::maybe(time(&endpoint.checked_at), now),
        history: endpoint
            .history
            .iter()
            .rev()
            .map(|look| {
                let words = seen(look.response_code, look.response_time_ms, look.error.as_deref());
                (look.status.clone(), format!("{}: {words} at {}", look.status, look.checked_at))
            })
            .collect(),
        attempts: match stats.total_sent {
            0 => "–".to_owned(),
            of => format!("{} of {} succeeded", grouped(stats.successful_deliveries), grouped(of)),
        },
        p95: millis(stats.p95),
        last_success: When::maybe(time(&endpoint.last_success_at), now),
        last_failure: When::maybe(time(&endpoint.last_failure_at), now),
    }
}

/// Why an endpoint is in its state: the attempts that decided, and the result of the last check.
fn why(endpoint: &Health) -> String {
    let look = seen(endpoint.response_code, endpoint.response_time_ms, endpoint.error.as_deref());
    let attempts = endpoint.attempts;
    let told = format!("{} of the last {} attempts succeeded", attempts.arrived, attempts.of);
    match (endpoint.status.as_str(), look.is_empty()) {
        ("degraded", true) => told,
        ("degraded", false) => format!("{told}; HEAD: {look}"),
        (_, true) => String::new(),
        ("healthy", false) if endpoint.response_code.is_some_and(|code| (400..405).contains(&code)) => {
            format!("{told}; HEAD: {look}")
        }
        _ => format!("HEAD: {look}"),
    }
}

fn seen(code: Option<u16>, ms: Option<f64>, error: Option<&str>) -> String {
    match (code, ms, error) {
        (Some(code), Some(_), _) => format!("HTTP {code} in {}", millis(ms)),
        (_, _, Some(error)) => plain(error),
        _ => String::new(),
    }
}

fn overall(stats: &Stats) -> Vec<(&'static str, String)> {
    let count = |count: u64| if stats.total_sent == 0 { "–".to_owned() } else { grouped(count) };
    vec![
        ("Attempts", count(stats.total_sent)),
        ("Succeeded", count(stats.successful_deliveries)),
        ("Failed", count(stats.failed_deliveries)),
        ("Retries", count(stats.retry_attempts)),
        ("Mean time", millis(stats.average_response_time)),
        ("p50", millis(stats.p50)),
        ("p95", millis(stats.p95)),
        ("p99", millis(stats.p99)),
    ]
}
