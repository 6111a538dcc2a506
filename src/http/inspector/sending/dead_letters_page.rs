//! `/dead-letters`: what waits for a person.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::messages_page::{RowView, subscription_names};
use crate::domain::plain;
use crate::http::inspector::page::{self, Frame};
use crate::http::inspector::row_view::shown_time;
use crate::http::inspector::state::InspectorState;
use crate::store::DeadLetterFilter;

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "dead_letters.html")]
struct ListPage {
    frame: Frame,
    letters: Vec<LetterView>,
    subscription: String,
    event_type: String,
    error: String,
    subscriptions: Vec<(String, String)>,
    older_url: Option<String>,
}

struct LetterView {
    row: RowView,
    url: String,
    error: String,
    primary_error: String,
    failed_at: String,
    failed: String,
}

/// The list.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let fields: Vec<(String, String)> = form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let filter = DeadLetterFilter {
        subscription: field("subscription_id"),
        event_type: field("event_type"),
        error: field("error"),
        ..DeadLetterFilter::default()
    };
    let before = field("before").and_then(|before| before.parse().ok());
    let mut found = match state.store.dead_letters(filter.clone(), before, ROWS.saturating_add(1)).await {
        Ok(found) => found,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let has_more = found.len() > ROWS;
    found.truncate(ROWS);
    let older_url = found.last().filter(|_| has_more).map(|letter| {
        let kept = fields.iter().filter(|(name, _)| name != "before");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).append_pair("before", &letter.message.seq.to_string());
        format!("/dead-letters?{}", query.finish())
    });
    let letters = found
        .iter()
        .map(|letter| LetterView {
            row: RowView::of(&state, &letter.message),
            url: plain(&letter.url),
            error: plain(&letter.error),
            primary_error: plain(letter.primary_error.as_deref().unwrap_or_default()),
            failed_at: letter.failed_at.to_string(),
            failed: shown_time(&letter.failed_at.to_string()),
        })
        .collect();
    let page = ListPage {
        frame: Frame::of(&state, "dead-letters"),
        letters,
        subscription: filter.subscription.unwrap_or_default(),
        event_type: filter.event_type.unwrap_or_default(),
        error: filter.error.unwrap_or_default(),
        subscriptions: subscription_names(&state),
        older_url,
    };
    page::html(StatusCode::OK, &page)
}
