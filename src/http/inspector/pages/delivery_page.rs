//! `/deliveries/{id}`: what became of it first, then its body, then the request and what followed from it.

use std::collections::HashSet;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::again::Again;
use super::attempts::Attempts;
use super::body_section::{BodySection, View, look};
use super::compare::Candidate;
use super::header_view::{HeaderView, dotted, header_views};
use super::lens::{drift_url, entity_url_of};
use super::page::{self, Frame, search_url};
use super::row_view::RowView;
use super::sending::{Onward, onward};
use super::verdict_section::{VerdictSection, waited};
use crate::domain::json::without_mark;
use crate::domain::{BodyEnd, DeliveryId, DeliveryRow, Piece, Reason, StoredDelivery, pieces, plain};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::When;
use crate::inspect::json_tree::Row as Line;
use crate::inspect::link_of;
use crate::inspect::search::term;
use crate::inspect::timeline::Timeline;
use crate::store::StoreError;

/// Larger bodies are not read for the name of their device, in bytes.
const MOST_READ: usize = 256 * 1024;

/// What the page of a delivery is made of.
#[derive(Template)]
#[template(path = "delivery.html")]
struct DeliveryPage {
    frame: Frame,
    row: RowView,
    title: Title,
    verdict: VerdictSection,
    /// The link by which a platform asks to confirm an address.
    confirmation: Option<String>,
    duplicate_of: Option<String>,
    http_version: String,
    peer_ip: String,
    explanation: String,
    /// How reading the body ended, where it is not complete.
    body_end: Option<&'static str>,
    path: Vec<Piece>,
    headers: Vec<HeaderView>,
    body: BodySection,
    attempts: Attempts,
    compare: Vec<Candidate>,
    note: String,
    /// How long its sender waits, where it did not wait long enough.
    gave_up_after: Option<String>,
    /// When the client closed the connection, where that was before our response.
    hung_up_after: Option<String>,
    /// The node that took it, where several may share the store.
    node: Option<String>,
    size_bytes: u64,
    onward: Vec<Onward>,
    /// Subscriptions that its event was not meant for.
    not_onward: Vec<Onward>,
    again: Again,
    drift_url: String,
    entity_url: Option<String>,
    links: Links,
}

/// What it is, in a line.
struct Title {
    /// The event, else method and path.
    what: String,
    /// The device, by its name where one is known.
    device: String,
    /// Whether that is unchecked.
    is_unverified: bool,
    ago: String,
}

impl Title {
    fn of(row: &RowView, name: Option<String>, ago: String) -> Self {
        let is_unverified = row.event_type.is_empty() && !row.unverified_event.is_empty();
        let what = if is_unverified { &row.unverified_event } else { &row.event_type };
        let device = if row.entity.is_empty() { &row.unverified_device } else { &row.entity };
        Self {
            what: if what.is_empty() { row.request.clone() } else { what.clone() },
            device: name.unwrap_or_else(|| device.clone()),
            is_unverified: is_unverified || (row.entity.is_empty() && !row.unverified_device.is_empty()),
            ago,
        }
    }
}

/// Where each fact leads: to all deliveries that share it.
struct Links {
    verdict: String,
    reason: String,
    source: String,
    client: String,
    event_type: String,
    event_id: String,
    entity: String,
    status: String,
}

/// The page.
pub async fn delivery(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let missing = "There is no delivery of this id. It may have been removed by retention.";
    let Ok(id) = id.parse::<DeliveryId>() else { return page::not_found(&state, missing) };
    match shown(&state, id, request.query_string()).await {
        Ok(Some(shown)) => page::html(StatusCode::OK, &shown),
        Ok(None) => page::not_found(&state, missing),
        Err(fault) => page::store_fault(&state, &fault),
    }
}

async fn shown(
    state: &InspectorState,
    id: DeliveryId,
    query: &str,
) -> Result<Option<DeliveryPage>, StoreError> {
    let Some(delivery) = state.store.delivery(id).await? else { return Ok(None) };
    let (delivery, findings) = state.look_and_note(delivery).await;
    let alike = match &delivery.row.cause {
        Some(cause) => state.store.alike(&delivery.row, &cause.code).await?,
        None => None,
    };
    let autopsy = findings.autopsy.as_ref().and_then(|autopsy| autopsy.variant.as_deref());
    let autopsy = autopsy.map(|variant| format!("Found: {}.", variant.replace('+', " and ")));
    let verdict = VerdictSection::of(
        &delivery.row,
        &findings.diagnosis,
        &delivery.checks,
        alike,
        autopsy,
        &state.apply(),
    );
    let replays = state.store.replays_about(id).await?;
    let row = &delivery.row;
    let event = match &row.event_id {
        Some(event_id) => Timeline::of(&state.store, &row.source, event_id).await?,
        None => Timeline::default(),
    };
    let attempts = Attempts::of(&event, row, state.clock.wall());
    let compare = Candidate::all(&state.store, row, &event).await?;
    let again = Again::of(state, &delivery, &replays);
    let body = BodySection::of(&delivery, look(query)).await;
    let onward = onward(state, &delivery).await?;
    let name = device_name(state, &delivery).await;
    Ok(Some(page_of(state, &delivery, verdict, name, onward, (again, body, attempts, compare))))
}

fn page_of(
    state: &InspectorState,
    delivery: &StoredDelivery,
    verdict: VerdictSection,
    name: Option<String>,
    onward: Vec<Onward>,
    (again, body, attempts, compare): (Again, BodySection, Attempts, Vec<Candidate>),
) -> DeliveryPage {
    let row = RowView::from(&delivery.row);
    let (onward, not_onward) = onward.into_iter().partition(|one| one.is_meant);
    let waits = state
        .sender_timeout(&delivery.row.source)
        .filter(|timeout| Duration::from_micros(delivery.row.duration_us) >= *timeout);
    DeliveryPage {
        frame: Frame::of(state, "deliveries"),
        title: Title::of(&row, name, When::relative(delivery.row.received_at, state.clock.wall()).shown),
        verdict,
        confirmation: link_of(delivery),
        duplicate_of: delivery.row.duplicate_of.map(|first| first.to_string()),
        http_version: delivery.http_version.clone(),
        peer_ip: delivery.client.peer.to_string(),
        explanation: plain(&delivery.client.explanation),
        body_end: match delivery.body_end {
            BodyEnd::Complete => None,
            BodyEnd::CutAtCap => Some("Cut where it went over the limit: this is not all that was sent."),
            BodyEnd::TimedOut => Some("Cut where time was up: this is not all that was sent."),
            BodyEnd::Broken => Some("The sender broke off here: this is not all that was announced."),
        },
        path: pieces(&dotted(&delivery.row.path)),
        headers: header_views(delivery),
        body,
        attempts,
        compare,
        note: delivery.row.marks.note.clone().unwrap_or_default(),
        gave_up_after: waited(waits),
        hung_up_after: waited(delivery.hung_up),
        node: delivery.node.clone(),
        size_bytes: delivery.row.size_bytes,
        onward,
        not_onward,
        again,
        drift_url: drift_url(&delivery.row),
        entity_url: entity_url_of(&delivery.row),
        links: links(&delivery.row),
        row,
    }
}

/// The name of a delivery's device: the known one, or the one next to the id in the body.
async fn device_name(state: &InspectorState, delivery: &StoredDelivery) -> Option<String> {
    let row = &delivery.row;
    let id = row.entity.as_ref().or(row.unverified.device.as_ref())?;
    let device = (row.source.clone(), id.clone());
    // Without the names there still is the id.
    let known = state.store.entity_names(HashSet::from([device.clone()])).await.unwrap_or_default();
    let name = known.get(&device).cloned().or_else(|| name_in_body(state, delivery))?;
    Some(plain(&name.chars().take(100).collect::<String>())).filter(|name| !name.trim().is_empty())
}

fn name_in_body(state: &InspectorState, delivery: &StoredDelivery) -> Option<String> {
    let row = &delivery.row;
    let source = state.sources.named(&row.source).filter(|_| row.entity.is_some())?;
    if delivery.body.len() > MOST_READ {
        return None;
    }
    let text = state.sources.payload_text(&row.source, &delivery.headers, &delivery.body)?;
    let payload: serde_json::Value = serde_json::from_slice(without_mark(&text)).ok()?;
    let (parent, _) = source.entity.rsplit_once('/')?;
    payload.pointer(&format!("{parent}/name"))?.as_str().map(str::to_owned)
}

fn links(row: &DeliveryRow) -> Links {
    let of = |field: &str, value: &str| search_url(&term(field, value));
    let or_none = |field: &str, value: &Option<String>| of(field, value.as_deref().unwrap_or_default());
    Links {
        verdict: of("verdict", row.verdict.as_str()),
        reason: of("reason", row.reason.map_or("", Reason::as_str)),
        source: of("source", &row.source),
        client: of("ip", &row.client_ip.to_string()),
        event_type: or_none("type", &row.event_type),
        event_id: or_none("id", &row.event_id),
        entity: or_none("device", &row.entity),
        status: of("status", &row.status.to_string()),
    }
}
