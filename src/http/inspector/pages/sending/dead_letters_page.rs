//! `/dead-letters`: messages that failed every attempt, by subscription and error.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::messages_page::{RowView, subscription_names};
use crate::domain::{DeadLetter, counted, plain};
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::When;
use crate::store::{DeadLetterFilter, LetterGroup, StoreError};

/// The most groups of a page.
const GROUPS: usize = 50;
/// The letters of a group that are shown with it.
const FIRST: usize = 10;
/// The letters of a page that shows one group.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "dead_letters.html")]
struct ListPage {
    frame: Frame,
    /// How many there are, in words.
    total: String,
    groups: Vec<GroupView>,
    has_more_groups: bool,
    /// Whether one group is shown, with all its letters.
    is_one_group: bool,
    subscription: String,
    event_type: String,
    error: String,
    subscriptions: Vec<(String, String)>,
    older_url: Option<String>,
}

impl ListPage {
    fn is_filtered(&self) -> bool {
        [&self.subscription, &self.event_type, &self.error].iter().any(|field| !field.is_empty())
    }
}

/// Dead letters of one subscription and error.
struct GroupView {
    subscription: String,
    /// The name of the subscription.
    name: String,
    /// The error as it is, for the actions.
    error: String,
    /// The error for people.
    error_shown: String,
    count: u64,
    since: When,
    last: When,
    letters: Vec<LetterView>,
    /// All letters of the group, where more than are shown.
    all_url: Option<String>,
}

struct LetterView {
    row: RowView,
    url: String,
    primary_error: String,
    failed: When,
}

/// What a request asks for.
struct Asked {
    fields: Vec<(String, String)>,
    filter: DeadLetterFilter,
}

impl Asked {
    fn read(query: &str) -> Self {
        let fields: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let field =
            |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let filter = DeadLetterFilter {
            subscription: field("subscription_id"),
            event_type: field("event_type"),
            error: field("error"),
            error_is: field("error_is"),
            ..DeadLetterFilter::default()
        };
        Self { fields, filter }
    }

    fn is_one_group(&self) -> bool {
        self.filter.error_is.is_some() && self.filter.subscription.is_some()
    }

    fn before(&self) -> Option<i64> {
        self.fields.iter().find(|(name, _)| name == "before").and_then(|(_, before)| before.parse().ok())
    }

    /// The page with other fields.
    fn url(&self, more: &[(&str, &str)]) -> String {
        let is_replaced = |name: &str| name == "before" || more.iter().any(|(known, _)| *known == name);
        let kept = self.fields.iter().filter(|(name, _)| !is_replaced(name));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).extend_pairs(more);
        format!("/dead-letters?{}", query.finish())
    }
}

/// The page.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let asked = Asked::read(request.query_string());
    match found(&state, asked).await {
        Ok(page) => page::html(StatusCode::OK, &page),
        Err(fault) => page::store_fault(&state, &fault),
    }
}

async fn found(state: &InspectorState, asked: Asked) -> Result<ListPage, StoreError> {
    let mut groups = state.store.dead_letter_groups(asked.filter.clone(), GROUPS.saturating_add(1)).await?;
    let has_more_groups = groups.len() > GROUPS;
    groups.truncate(GROUPS);
    let total: u64 = groups.iter().map(|group| group.count).sum();
    let more = if has_more_groups { "More than " } else { "" };
    let is_one_group = asked.is_one_group();
    let (rows, before) = if is_one_group { (ROWS, asked.before()) } else { (FIRST, None) };
    let names = subscription_names(state);
    let mut views = Vec::new();
    let mut older_url = None;
    for group in &groups {
        let of_group = DeadLetterFilter {
            subscription: Some(group.subscription.clone()),
            error_is: Some(group.error.clone()),
            ..asked.filter.clone()
        };
        let mut letters = state.store.dead_letters(of_group, before, rows.saturating_add(1)).await?;
        let has_more = letters.len() > rows;
        letters.truncate(rows);
        if let Some(last) = letters.last().filter(|_| has_more && is_one_group) {
            older_url = Some(asked.url(&[("before", &last.message.seq.to_string())]));
        }
        let mut view = view(state, group, &letters, &names);
        if has_more && !is_one_group {
            let this = [("subscription_id", &*group.subscription), ("error_is", &*group.error)];
            view.all_url = Some(asked.url(&this));
        }
        views.push(view);
    }
    Ok(ListPage {
        frame: Frame::of(state, "dead-letters"),
        total: format!("{more}{}", counted(total, "message")),
        groups: views,
        has_more_groups,
        is_one_group,
        subscription: asked.filter.subscription.unwrap_or_default(),
        event_type: asked.filter.event_type.unwrap_or_default(),
        error: asked.filter.error.or(asked.filter.error_is).unwrap_or_default(),
        subscriptions: names,
        older_url,
    })
}

fn view(
    state: &InspectorState,
    group: &LetterGroup,
    letters: &[DeadLetter],
    names: &[(String, String)],
) -> GroupView {
    let now = state.clock.wall();
    let name = names.iter().find(|(id, _)| *id == group.subscription).map(|(_, name)| name.clone());
    let letter = |letter: &DeadLetter| LetterView {
        row: RowView::of(state, &letter.message),
        url: plain(&letter.url),
        primary_error: plain(letter.primary_error.as_deref().unwrap_or_default()),
        failed: When::relative(letter.failed_at, now),
    };
    GroupView {
        subscription: group.subscription.clone(),
        name: name.unwrap_or_else(|| plain(&group.subscription)),
        error: group.error.clone(),
        error_shown: plain(&group.error),
        count: group.count,
        since: When::clock(group.since, now),
        last: When::relative(group.last, now),
        letters: letters.iter().map(letter).collect(),
        all_url: None,
    }
}
