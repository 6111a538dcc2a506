//! `/deliveries/{id}`: what became of it first, then every gate, the event, the headers, the body.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::again::Again;
use super::attempts::Attempts;
use super::body_section::{BodySection, View, look};
use super::lens::{drift_url, entity_url_of};
use super::page::{self, Frame};
use super::row_view::{RowView, took};
use super::sending::{Onward, onward};
use super::state::InspectorState;
use crate::domain::{BodyEnd, Check, DeliveryId, DeliveryRow, Piece, Reason, StoredDelivery, pieces, plain};
use crate::inspect::duration::seconds;
use crate::inspect::json_tree::Row as Line;
use crate::inspect::search::term;
use crate::inspect::{Findings, diagnose, link_of};

#[derive(Template)]
#[template(path = "delivery.html")]
struct DeliveryPage {
    frame: Frame,
    row: RowView,
    diagnosis: String,
    /// The name of what fits a refused signature.
    autopsy: Option<String>,
    /// The link by which a platform asks to confirm an address.
    confirmation: Option<String>,
    duplicate_of: Option<String>,
    gates: Vec<GateView>,
    http_version: String,
    peer_ip: String,
    explanation: String,
    /// How reading the body ended, where it is not complete.
    body_end: Option<&'static str>,
    path: Vec<Piece>,
    headers: Vec<HeaderView>,
    body: BodySection,
    attempts: Attempts,
    note: String,
    /// How long its sender waits, where it did not wait long enough.
    gave_up_after: Option<String>,
    /// When the client closed the connection, where that was before our response.
    hung_up_after: Option<String>,
    size_bytes: u64,
    onward: Vec<Onward>,
    again: Again,
    drift_url: String,
    entity_url: Option<String>,
    links: Links,
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

struct GateView {
    gate: &'static str,
    outcome: &'static str,
    seen: String,
    rule: String,
    took: String,
    faults: Vec<(String, String)>,
    notes: Vec<String>,
}

struct HeaderView {
    name: String,
    /// The search for this line.
    url: String,
    value: Vec<Piece>,
}

/// The page.
pub async fn delivery(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let missing = "There is no delivery of this id. It may have been removed by retention.";
    let Ok(id) = id.parse::<DeliveryId>() else { return page::not_found(&state, missing) };
    match state.store.delivery(id).await {
        Ok(Some(delivery)) => {
            let (delivery, findings) = state.look_into(delivery).await;
            let replays = match state.store.replays_about(id).await {
                Ok(replays) => replays,
                Err(fault) => return page::store_fault(&state, &fault),
            };
            let sections = (
                Again::of(&state, &delivery, &replays),
                BodySection::of(&delivery, look(request.query_string())).await,
                match Attempts::of(&state, &delivery.row).await {
                    Ok(attempts) => attempts,
                    Err(fault) => return page::store_fault(&state, &fault),
                },
            );
            match onward(&state, &delivery).await {
                Ok(onward) => {
                    page::html(StatusCode::OK, &view(&state, &delivery, &findings, onward, sections))
                }
                Err(fault) => page::store_fault(&state, &fault),
            }
        }
        Ok(None) => page::not_found(&state, missing),
        Err(fault) => page::store_fault(&state, &fault),
    }
}

fn view(
    state: &InspectorState,
    delivery: &StoredDelivery,
    findings: &Findings,
    onward: Vec<Onward>,
    (again, body, attempts): (Again, BodySection, Attempts),
) -> DeliveryPage {
    let header = |header: &crate::domain::Header| HeaderView {
        name: plain(&header.name),
        url: search_url(&format!("header.{}", header.name.to_ascii_lowercase()), &cut(&header.text())),
        value: pieces(&header.text()),
    };
    DeliveryPage {
        frame: Frame::of(state, "deliveries"),
        row: RowView::from(&delivery.row),
        diagnosis: plain(&diagnose(delivery, findings)),
        autopsy: findings.autopsy.as_ref().map(|autopsy| match &autopsy.variant {
            Some(variant) => format!("Autopsy: {}", variant.replace('+', " and ")),
            None => format!("Autopsy: none of {} variants matches", autopsy.tried),
        }),
        confirmation: link_of(delivery),
        duplicate_of: delivery.row.duplicate_of.map(|first| first.to_string()),
        gates: delivery.checks.iter().map(gate).collect(),
        http_version: delivery.http_version.clone(),
        peer_ip: delivery.client.peer.to_string(),
        explanation: plain(&delivery.client.explanation),
        body_end: match delivery.body_end {
            BodyEnd::Complete => None,
            BodyEnd::CutAtCap => Some("Cut where it went over the limit: this is not all that was sent."),
            BodyEnd::TimedOut => Some("Cut where time was up: this is not all that was sent."),
            BodyEnd::Broken => Some("The sender broke off here: this is not all that was announced."),
        },
        path: pieces(&delivery.row.path),
        headers: delivery.headers.iter().map(header).collect(),
        body,
        attempts,
        note: delivery.row.marks.note.clone().unwrap_or_default(),
        gave_up_after: state
            .sender_timeout(&delivery.row.source)
            .filter(|timeout| Duration::from_micros(delivery.row.duration_us) >= *timeout)
            .map(|timeout| seconds(timeout.as_secs_f64())),
        hung_up_after: delivery.hung_up.map(|after| seconds(after.as_secs_f64())),
        size_bytes: delivery.row.size_bytes,
        onward,
        again,
        drift_url: drift_url(&delivery.row),
        entity_url: entity_url_of(&delivery.row),
        links: links(&delivery.row),
    }
}

fn links(row: &DeliveryRow) -> Links {
    let of = |field: &str, value: &Option<String>| search_url(field, value.as_deref().unwrap_or_default());
    Links {
        verdict: search_url("verdict", row.verdict.as_str()),
        reason: search_url("reason", row.reason.map_or("", Reason::as_str)),
        source: search_url("source", &row.source),
        client: search_url("ip", &row.client_ip.to_string()),
        event_type: of("type", &row.event_type),
        event_id: of("id", &row.event_id),
        entity: of("device", &row.entity),
        status: search_url("status", &row.status.to_string()),
    }
}

/// The list of what has this value in that field.
fn search_url(field: &str, value: &str) -> String {
    format!(
        "/?{}",
        form_urlencoded::Serializer::new(String::new()).append_pair("q", &term(field, value)).finish()
    )
}

/// As much of a value as a search needs.
fn cut(value: &str) -> String {
    value.chars().take(100).collect()
}

fn gate(check: &Check) -> GateView {
    GateView {
        gate: check.gate.as_str(),
        outcome: check.outcome.as_str(),
        seen: plain(&check.seen),
        rule: plain(&check.rule),
        took: took(u64::from(check.duration_us)),
        faults: check.faults.iter().map(|fault| (plain(&fault.path), plain(&fault.message))).collect(),
        notes: check.notes.iter().map(|note| plain(note)).collect(),
    }
}
