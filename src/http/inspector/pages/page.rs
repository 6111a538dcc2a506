//! What every page has, and the pages that only say something.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::http::inspector::badges::Badges;
use crate::http::inspector::state::InspectorState;

/// An entry of the navigation: its key, its address and its words.
type Entry = (&'static str, &'static str, &'static str);

/// The navigation: groups with their names, the first one without.
const NAVIGATION: &[(&str, &[Entry])] = &[
    ("", &[("overview", "/overview", "Overview")]),
    (
        "Inbound",
        &[
            ("deliveries", "/", "Deliveries"),
            ("entities", "/entities", "Devices"),
            ("drift", "/drift", "Schema changes"),
            ("sources", "/sources", "Sources"),
            ("refusals", "/refusals", "Requests not stored"),
            ("connect", "/connect", "Connect a sender"),
        ],
    ),
    (
        "Outbound",
        &[
            ("subscriptions", "/subscriptions", "Subscriptions"),
            ("messages", "/messages", "Messages"),
            ("dead-letters", "/dead-letters", "Dead letters"),
            ("health", "/health", "Health"),
        ],
    ),
    (
        "Reference",
        &[
            ("event-types", "/event-types", "Event types"),
            ("api", "/api", "API"),
            ("tokens", "/tokens", "API tokens"),
            ("docs", "/docs", "Documentation"),
        ],
    ),
];

/// What the frame around every page needs.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The key of the current entry of the navigation, or empty.
    pub here: &'static str,
    /// Whether the user can log out.
    pub can_log_out: bool,
    badges: Badges,
}

impl Frame {
    /// The frame of a page under `here`.
    #[must_use]
    pub fn of(state: &InspectorState, here: &'static str) -> Self {
        Self { here, can_log_out: state.auth.is_required(), badges: state.badges.clone() }
    }

    /// The groups of the navigation.
    #[must_use]
    pub fn navigation(&self) -> &'static [(&'static str, &'static [Entry])] {
        NAVIGATION
    }

    /// The words of the current entry.
    #[must_use]
    pub fn section(&self) -> Option<&'static str> {
        let mut entries = NAVIGATION.iter().flat_map(|(_, entries)| *entries);
        entries.find(|(key, ..)| *key == self.here).map(|(.., words)| *words)
    }

    /// The count next to an entry; 0 if there is none.
    #[must_use]
    pub fn badge(&self, entry: &str) -> u64 {
        self.badges.count(entry)
    }
}

/// A page as the answer.
pub fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(text) => HttpResponse::build(status).content_type("text/html; charset=utf-8").body(text),
        Err(fault) => {
            tracing::error!(%fault, "a page cannot be rendered");
            HttpResponse::InternalServerError().body("This page cannot be shown.")
        }
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Message<'a> {
    frame: Frame,
    title: &'a str,
    detail: &'a str,
}

/// A page that only says something.
pub fn message(state: &InspectorState, status: StatusCode, title: &str, detail: &str) -> HttpResponse {
    html(status, &Message { frame: Frame::of(state, ""), title, detail })
}

/// 404.
pub fn not_found(state: &InspectorState, detail: &str) -> HttpResponse {
    message(state, StatusCode::NOT_FOUND, "Not found", detail)
}

/// 503: the store cannot be read; the log says why.
pub fn no_store(state: &InspectorState) -> HttpResponse {
    let detail = "Storage is unavailable; see the log.";
    message(state, StatusCode::SERVICE_UNAVAILABLE, "Storage unavailable", detail)
}

/// 503: the store cannot be read.
pub fn store_fault(state: &InspectorState, fault: &crate::store::StoreError) -> HttpResponse {
    if matches!(fault, crate::store::StoreError::TooLong(_)) {
        let detail = format!("It was given up: {fault}.");
        return message(state, StatusCode::SERVICE_UNAVAILABLE, "Too much to look at", &detail);
    }
    tracing::error!(%fault, "the inspector cannot read the store");
    no_store(state)
}

/// The list of what a search finds.
pub fn search_url(query: &str) -> String {
    format!("/?{}", form_urlencoded::Serializer::new(String::new()).append_pair("q", query).finish())
}
