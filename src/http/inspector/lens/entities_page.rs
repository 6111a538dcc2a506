//! `/entities`: what deliveries are about, and who is silent.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::words::{entity_url, span};
use crate::domain::{Entity, SilenceAfter, Timestamp, plain};
use crate::http::api::lens::{place_of, query};
use crate::http::api::{Blank, Params};
use crate::http::inspector::InspectorState;
use crate::http::inspector::page::{self, Frame};
use crate::http::inspector::row_view::shown_time;
use crate::store::EntityOrder;

/// Rows of a page.
const ROWS: usize = 50;

/// A row of the list.
pub struct EntityRow {
    pub url: String,
    pub entity: String,
    pub name: String,
    pub source: String,
    pub last_seen_at: String,
    pub last_seen: String,
    pub silent_for: String,
    pub usual: String,
    pub in_24h: u64,
    pub state: &'static str,
    pub class: &'static str,
    pub lag: String,
    pub out_of_order: u64,
    pub late: u64,
}

impl EntityRow {
    /// The row of an entity whose source has that rule.
    pub fn of(entity: &Entity, rule: SilenceAfter, now: Timestamp) -> Self {
        let last_seen = entity.last_seen.to_string();
        let silent_us = now.as_micros().saturating_sub(entity.last_seen.as_micros());
        let silent_for = Duration::from_micros(u64::try_from(silent_us).unwrap_or(0));
        let usual = entity.usual();
        let is_over = rule.allowed(usual).is_some_and(|allowed| silent_for > allowed);
        let (state, class) = match (entity.silent_at, usual) {
            (Some(_), _) => ("silent", "rejected"),
            (None, _) if is_over => ("silent", "rejected"),
            // Nobody asked to be told, but it is worth a look.
            (None, Some(usual)) if silent_for > usual.saturating_mul(3).max(Duration::from_secs(60)) => {
                ("quiet", "pending")
            }
            (None, Some(_)) => ("regular", "accepted"),
            (None, None) => ("new", "unknown"),
        };
        Self {
            url: entity_url(&entity.source, &entity.entity),
            entity: plain(&entity.entity),
            name: entity.name.as_deref().map(plain).unwrap_or_default(),
            source: plain(&entity.source),
            last_seen: shown_time(&last_seen),
            last_seen_at: last_seen,
            silent_for: span(silent_for),
            usual: usual.map(|usual| format!("every {}", span(usual))).unwrap_or_default(),
            in_24h: entity.in_24h(now),
            state,
            class,
            lag: entity.lag_ms().map(super::words::signed_span).unwrap_or_default(),
            out_of_order: entity.out_of_order,
            late: entity.late,
        }
    }
}

#[derive(Template)]
#[template(path = "lens/entities.html")]
struct EntitiesPage {
    frame: Frame,
    rows: Vec<EntityRow>,
    sources: Vec<String>,
    source: String,
    q: String,
    is_silent: bool,
    by_silence: bool,
    total: u64,
    is_filtered: bool,
    older_url: Option<String>,
    fault: Option<String>,
}

/// The list.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Absent);
    let query = query(&mut params);
    let fault = params.finish(&["source", "q", "silent", "sort", "before"]).err();
    let fault = fault.map(|faults| plain(&crate::http::problem::Problem::bad_parameters(faults).sentences()));
    let read = async {
        let page = state.store.entities(query.clone(), ROWS).await?;
        Ok::<_, crate::store::StoreError>((page, state.store.lens_state().await?))
    };
    let (found, lens) = match read.await {
        Ok(read) => read,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let now = state.clock.wall();
    let sources = state.sources.all();
    let rule_of = |source: &str| {
        let known = sources.iter().find(|known| known.name == source);
        known.map_or(SilenceAfter::Off, |source| source.silence_after)
    };
    let older_url = found.next.as_ref().map(|place| {
        let kept = form_urlencoded::parse(request.query_string().as_bytes())
            .into_owned()
            .filter(|(name, value)| name != "before" && !value.is_empty());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).append_pair("before", &place_of(place));
        format!("/entities?{}", query.finish())
    });
    let page = EntitiesPage {
        frame: Frame::of(&state, "entities"),
        rows: found
            .entities
            .iter()
            .map(|entity| EntityRow::of(entity, rule_of(&entity.source), now))
            .collect(),
        sources: sources.iter().map(|source| source.name.clone()).collect(),
        is_filtered: query.source.is_some() || query.q.is_some() || query.is_silent,
        source: query.source.unwrap_or_default(),
        q: query.q.unwrap_or_default(),
        is_silent: query.is_silent,
        by_silence: query.order == EntityOrder::Silence,
        total: lens.entities,
        older_url,
        fault,
    };
    page::html(StatusCode::OK, &page)
}
