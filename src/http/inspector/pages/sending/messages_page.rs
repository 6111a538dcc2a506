//! `/messages` and `/messages/{id}`: what is on its way, and how each attempt went.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::attempts::AttemptView;
use crate::domain::{MessageFilter, MessageId, MessageRow, MessageStatus, Piece, pieces, plain};
use crate::http::inspector::operations::parked::parked_because;
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::{When, readable};
use crate::send::Act;
use crate::store::StoredMessage;

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "messages.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<RowView>,
    statuses: Vec<&'static str>,
    status: String,
    event_id: String,
    subscription: String,
    /// Id and name of every subscription.
    subscriptions: Vec<(String, String)>,
    can_send: bool,
    can_cancel: bool,
    older_url: Option<String>,
}

impl ListPage {
    fn is_filtered(&self) -> bool {
        [&self.status, &self.subscription, &self.event_id].iter().any(|field| !field.is_empty())
    }
}

/// A message in a list.
pub struct RowView {
    pub id: String,
    pub event_type: String,
    pub event_id: String,
    pub subscription: String,
    pub subscription_name: String,
    pub status: &'static str,
    pub attempts: u32,
    pub created: When,
    pub next: When,
    pub replayed: When,
}

impl RowView {
    /// The view of a row.
    pub fn of(state: &InspectorState, row: &MessageRow) -> Self {
        let subscriptions = state.sender.subscriptions();
        let name =
            subscriptions.get(&row.subscription).map(|active| active.compiled.subscription.name.clone());
        let name = name.or_else(|| subscriptions.parked(&row.subscription).map(|parked| parked.name.clone()));
        let now = state.clock.wall();
        Self {
            id: row.id.to_string(),
            event_type: plain(&row.event_type),
            event_id: plain(row.event_id.as_deref().unwrap_or_default()),
            subscription: row.subscription.clone(),
            subscription_name: plain(&name.unwrap_or_else(|| row.subscription.clone())),
            status: row.status.as_str(),
            attempts: row.attempts,
            created: When::relative(row.created_at, now),
            next: When::maybe(row.next_attempt_at, now),
            replayed: When::maybe(row.replayed_at, now),
        }
    }
}

/// The list.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let fields: Vec<(String, String)> = form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let filter = MessageFilter {
        subscription: field("subscription_id"),
        event_id: field("event_id"),
        status: field("status").as_deref().and_then(MessageStatus::from_word),
    };
    let before = field("before").and_then(|before| before.parse().ok());
    let mut found = match state.store.messages(filter.clone(), before, ROWS.saturating_add(1)).await {
        Ok(found) => found,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let has_more = found.len() > ROWS;
    found.truncate(ROWS);
    let older_url = found.last().filter(|_| has_more).map(|row| {
        let kept = fields.iter().filter(|(name, _)| name != "before");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).append_pair("before", &row.seq.to_string());
        format!("/messages?{}", query.finish())
    });
    let can = |act: Act| {
        let meant = if filter.status.is_some() { act.statuses() } else { act.usual() };
        found.iter().any(|row| meant.contains(&row.status))
    };
    let page = ListPage {
        can_send: can(Act::SendNow),
        can_cancel: can(Act::Cancel),
        frame: Frame::of(&state, "messages"),
        rows: found.iter().map(|row| RowView::of(&state, row)).collect(),
        statuses: MessageStatus::ALL.map(MessageStatus::as_str).to_vec(),
        status: filter.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        event_id: filter.event_id.unwrap_or_default(),
        subscription: filter.subscription.unwrap_or_default(),
        subscriptions: subscription_names(&state),
        older_url,
    };
    page::html(StatusCode::OK, &page)
}

/// Id and name of every subscription, those that are not in force too.
pub fn subscription_names(state: &InspectorState) -> Vec<(String, String)> {
    let subscriptions = state.sender.subscriptions();
    let all = subscriptions.all();
    let active = all.iter().map(|active| {
        let subscription = &active.compiled.subscription;
        (subscription.id.clone(), plain(&subscription.name))
    });
    let parked = subscriptions.all_parked().into_iter();
    active
        .chain(
            parked.map(|parked| (parked.id.clone(), format!("{} ({})", plain(&parked.name), parked.word()))),
        )
        .collect()
}

#[derive(Template)]
#[template(path = "message.html")]
struct OnePage {
    frame: Frame,
    row: RowView,
    attempts: Vec<AttemptView>,
    delivery: Option<String>,
    is_letter: bool,
    can_send: bool,
    can_cancel: bool,
    /// Why it is parked, and what sends it.
    parked_because: String,
    /// The time until which a message waits although it could be sent.
    is_disabled: bool,
    source: String,
    /// The event, laid out.
    event: Vec<Piece>,
    /// The event as it is, where laying it out changed it.
    event_as_is: Option<Vec<Piece>>,
    /// What the template makes of it, laid out; `None` where the event itself is sent.
    payload: Option<Vec<Piece>>,
    payload_as_is: Option<Vec<Piece>>,
}

/// One message.
pub async fn one(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    let missing = "There is no message of this id. It may have been removed by retention.";
    let Ok(id) = id.parse::<MessageId>() else { return page::not_found(&state, missing) };
    let StoredMessage { row, event, attempts } = match state.store.message(id).await {
        Ok(Some(found)) => found,
        Ok(None) => return page::not_found(&state, missing),
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let target = state.sender.subscriptions().get(&row.target);
    // Without a template the event itself is sent: shown once.
    let payload = target
        .as_ref()
        .filter(|active| active.compiled.has_template())
        .and_then(|active| state.sender.payload_now(&active.compiled, &event, id));
    let body = String::from_utf8_lossy(&event.body).into_owned();
    let now = state.clock.wall();
    let (event_shown, event_as_is) = both(&body);
    let (payload, payload_as_is) = match payload.as_deref().map(both) {
        Some((shown, as_is)) => (Some(shown), as_is),
        None => (None, None),
    };
    let page = OnePage {
        frame: Frame::of(&state, "messages"),
        attempts: attempts.iter().rev().map(|attempt| AttemptView::of(attempt, now)).collect(),
        delivery: row.delivery.map(|id| id.to_string()),
        is_letter: row.status == MessageStatus::Dead,
        can_send: state.sender.refusal(Act::SendNow, &row).is_none(),
        can_cancel: state.sender.refusal(Act::Cancel, &row).is_none(),
        parked_because: plain(&parked_because(&state, &row).unwrap_or_default()),
        is_disabled: row.status == MessageStatus::Pending
            && target.as_ref().is_some_and(|active| !active.is_enabled()),
        source: plain(&event.source),
        event: event_shown,
        event_as_is,
        payload,
        payload_as_is,
        row: RowView::of(&state, &row),
    };
    page::html(StatusCode::OK, &page)
}

/// A text laid out, and as it is where that is another text.
fn both(text: &str) -> (Vec<Piece>, Option<Vec<Piece>>) {
    let (shown, as_is) = (readable(text), pieces(text));
    let is_changed = shown != as_is;
    (shown, is_changed.then_some(as_is))
}
