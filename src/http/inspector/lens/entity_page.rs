//! `/entities/{source}/{entity}`: one entity, its values over time, and its deliveries.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::entities_page::EntityRow;
use super::sparkline::Chart;
use super::strip::Strip;
use super::words::{entity_url, signed_span, span};
use crate::domain::{Entity, SilenceAfter, Timestamp, plain};
use crate::http::inspector::InspectorState;
use crate::http::inspector::page::{self, Frame};
use crate::http::inspector::row_view::{RowView, shown_time};
use crate::inspect::entities::{EntityLog, Values, entity_log};

/// Deliveries whose values are drawn.
const ROWS: usize = 100;
/// Of those, the ones that are listed.
const LISTED: usize = 25;

/// Deliveries of one hour.
struct Hour {
    count: u32,
    /// Where its bar stands, and how high.
    x: usize,
    y: u32,
    height: u32,
}

#[derive(Template)]
#[template(path = "lens/entity.html")]
struct EntityPage {
    frame: Frame,
    row: EntityRow,
    first_seen: String,
    deliveries: u64,
    last_delivery: String,
    silent_since: String,
    rule: String,
    clock: String,
    spread: String,
    newest_event: String,
    of_the_future: u64,
    hours: Vec<Hour>,
    charts: Vec<Chart>,
    strips: Vec<Strip>,
    /// Variables that came without a value.
    without: String,
    left_out: usize,
    from: String,
    until: String,
    log: Vec<RowView>,
    drawn: usize,
    deliveries_url: String,
    older_url: Option<String>,
    is_newest: bool,
}

/// The page.
pub async fn one(
    path: web::Path<(String, String)>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let (source, id) = path.into_inner();
    let before = form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, _)| name == "before")
        .and_then(|(_, value)| value.parse::<i64>().ok());
    let entity = match state.store.entity(source.clone(), id.clone()).await {
        Ok(Some(entity)) => entity,
        Ok(None) => return page::not_found(&state, "Nothing of this id was heard of at this source."),
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let log = match entity_log(&state.store, &state.sources, (source, id), before, ROWS).await {
        Ok(log) => log,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let page = view(&state, &entity, &log, before.is_none());
    page::html(StatusCode::OK, &page)
}

fn view(state: &InspectorState, entity: &Entity, log: &EntityLog, is_newest: bool) -> EntityPage {
    let now = state.clock.wall();
    let rule = state.silence_after(&entity.source);
    let shown = |at: Option<Timestamp>| at.map(|at| shown_time(&at.to_string())).unwrap_or_default();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("source", &entity.source).append_pair("entity", &entity.entity);
    let values = Values::of(&log.payloads, log.newest);
    EntityPage {
        frame: Frame::of(state, "entities"),
        row: EntityRow::of(entity, rule, now),
        first_seen: shown(Some(entity.first_seen)),
        deliveries: entity.deliveries,
        last_delivery: entity.last_delivery.to_string(),
        silent_since: shown(entity.silent_at),
        rule: rule_in_words(rule, entity),
        clock: clock_in_words(entity),
        spread: entity.lag_spread_ms().map(signed_span).unwrap_or_default(),
        newest_event: shown(entity.newest_event_at),
        of_the_future: entity.of_the_future(),
        hours: bars(&entity.hours(now)),
        charts: values.series.iter().filter_map(Chart::of).collect(),
        strips: values.states.iter().filter_map(Strip::of).collect(),
        without: values.without.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", "),
        left_out: values.left_out,
        from: shown(log.payloads.iter().map(|(at, _)| *at).min()),
        until: shown(log.payloads.iter().map(|(at, _)| *at).max()),
        log: log.rows.iter().take(LISTED).map(RowView::from).collect(),
        drawn: log.rows.len(),
        deliveries_url: format!("/?{}", query.finish()),
        older_url: log
            .rows
            .last()
            .filter(|_| log.has_more)
            .map(|row| format!("{}?before={}", entity_url(&entity.source, &entity.entity), row.seq)),
        is_newest,
    }
}

fn rule_in_words(rule: SilenceAfter, entity: &Entity) -> String {
    match (rule, rule.allowed(entity.usual())) {
        (SilenceAfter::Off, _) => "off; silence_after of its source says when".to_owned(),
        (_, None) => format!("{rule}, once its usual interval is known"),
        (SilenceAfter::Time(_), Some(allowed)) => format!("after {}", span(allowed)),
        (SilenceAfter::Tenths(_), Some(allowed)) => format!("after {} ({rule})", span(allowed)),
    }
}

fn clock_in_words(entity: &Entity) -> String {
    match entity.lag_ms() {
        None => "Its events tell no time. Name where it is with time_pointer of the source.".to_owned(),
        Some(lag) if lag < -1_000 => {
            format!("Its clock is ahead of ours by {}.", signed_span(lag.saturating_neg()))
        }
        Some(lag) if lag > 60_000 => {
            format!(
                "Its events come {} after they happened: a slow way, or a clock that is behind.",
                signed_span(lag)
            )
        }
        Some(lag) => format!("Its events come {} after they happened.", signed_span(lag)),
    }
}

/// Bars of a chart that is 240 by 40.
fn bars(hours: &[u32]) -> Vec<Hour> {
    const HEIGHT: u32 = 40;
    const WIDTH: usize = 10;
    let most = hours.iter().copied().max().unwrap_or(0).max(1);
    hours
        .iter()
        .enumerate()
        .map(|(place, count)| {
            let least = u32::from(*count > 0).saturating_mul(2);
            let height = (u64::from(*count).saturating_mul(u64::from(HEIGHT)) / u64::from(most))
                .min(u64::from(HEIGHT));
            let height = u32::try_from(height).unwrap_or(HEIGHT).max(least);
            Hour { count: *count, x: place.saturating_mul(WIDTH), y: HEIGHT.saturating_sub(height), height }
        })
        .collect()
}
