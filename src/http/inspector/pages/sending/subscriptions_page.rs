//! `/subscriptions`: which events go where, and how that goes.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::domain::{counted, plain};
use crate::http::inspector::operations::figures::Stats;
use crate::http::inspector::operations::health::endpoints;
use crate::http::inspector::operations::parked::parked;
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::millis;
use crate::send::{Active, Parked, presets};
use crate::store::SenderFigures;

#[derive(Template)]
#[template(path = "subscriptions.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<RowView>,
    parked: Vec<ParkedView>,
    /// Those that may take what is parked.
    takers: Vec<(String, String)>,
    presets: Vec<(&'static str, &'static str, &'static str)>,
}

struct RowView {
    id: String,
    name: String,
    url: String,
    events: String,
    state: &'static str,
    why: String,
    health: String,
    p95: String,
    pending: u64,
    dead: u64,
}

/// A subscription that is not in force, with what waits for it.
struct ParkedView {
    id: String,
    name: String,
    url: String,
    word: &'static str,
    why: String,
    cure: String,
    messages: u64,
    dead: u64,
}

impl ParkedView {
    fn parked_shown(&self) -> String {
        counted(self.messages, "message")
    }

    fn dead_shown(&self) -> String {
        counted(self.dead, "dead letter")
    }
}

/// The word for whether a subscription is in force.
pub fn state_word(active: &Active) -> &'static str {
    if active.is_enabled() { "enabled" } else { "disabled" }
}

/// The page.
pub async fn list(state: web::Data<InspectorState>) -> HttpResponse {
    let figures = match state.store.sender_figures().await {
        Ok(figures) => figures,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let Ok(health) = endpoints(&state).await else {
        return page::no_store(&state);
    };
    let row = |active: &std::sync::Arc<Active>| {
        let subscription = &active.compiled.subscription;
        let own = figures.iter().find(|figures| figures.subscription == subscription.id);
        let stats = own.map(Stats::from).unwrap_or_default();
        let seen = health.iter().find(|endpoint| endpoint.id == subscription.id);
        RowView {
            id: subscription.id.clone(),
            name: plain(&subscription.name),
            url: plain(&subscription.url),
            events: plain(&subscription.events.join(", ")),
            state: state_word(active),
            why: subscription.disabled_reason.clone().unwrap_or_default(),
            health: seen.map_or_else(|| "unknown".to_owned(), |endpoint| endpoint.status.clone()),
            p95: millis(stats.p95),
            pending: stats.pending_messages,
            dead: stats.dead_letters,
        }
    };
    let rows: Vec<RowView> = state.sender.subscriptions().all().iter().map(row).collect();
    let takers = rows.iter().map(|row| (row.id.clone(), row.name.clone())).collect();
    let Ok(all) = parked(&state).await else {
        return page::no_store(&state);
    };
    let view = |(parked, figures): &(std::sync::Arc<Parked>, SenderFigures)| ParkedView {
        id: parked.id.clone(),
        name: plain(&parked.name),
        url: plain(&parked.url),
        word: parked.word(),
        why: plain(&parked.sentence()),
        cure: plain(&parked.cure()),
        messages: figures.parked,
        dead: figures.dead,
    };
    let parked = all.iter().map(view).collect();
    let presets = presets().iter().map(|preset| (preset.name, preset.title, preset.description)).collect();
    page::html(
        StatusCode::OK,
        &ListPage { frame: Frame::of(&state, "subscriptions"), rows, parked, takers, presets },
    )
}
