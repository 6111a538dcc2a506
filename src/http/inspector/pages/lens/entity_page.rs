//! `/entities/{source}/{entity}`: one device, its values over time, and its deliveries.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::entities_page::EntityRow;
use super::readings::Readings;
use super::values::{SeriesView, charts, hours, times};
use crate::domain::{Device, Entity, SilenceAfter, Timestamp, grouped, plain};
use crate::http::inspector::operations::devices::{NameRequest, rename};
use crate::http::inspector::pages::charts::{Bars, Map, Strip};
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::request::Fields;
use crate::http::inspector::words::shown_time;
use crate::http::inspector::{InspectorState, json_body};
use crate::inspect::duration::{signed_span, span};
use crate::inspect::entities::{EntityLog, Values, entity_log, entity_url};

/// Deliveries whose values are drawn.
const ROWS: usize = 100;

/// What one source says of the device.
struct Member {
    source: String,
    deliveries: String,
    first_seen: String,
    silence_rule: String,
    silent_since: String,
    out_of_order: u64,
    late: u64,
    of_the_future: u64,
    newest_event: String,
}

#[derive(Template)]
#[template(path = "lens/entity.html")]
struct EntityPage {
    frame: Frame,
    row: EntityRow,
    own_name: String,
    last_delivery: String,
    clock: String,
    spread: String,
    members: Vec<Member>,
    hours: Bars,
    charts: Vec<SeriesView>,
    strips: Vec<Strip>,
    map: Option<Map>,
    /// Variables that arrived without a value.
    without: String,
    left_out: usize,
    /// The time of the values that are drawn; empty where there are none.
    drawn_in: String,
    drawn: usize,
    readings: Readings,
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
    let device = match state.store.device(source, id).await {
        Ok(Some(device)) => device,
        Ok(None) => return page::not_found(&state, "This source knows no device of this id."),
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let log = match entity_log(&state.store, &state.sources, &device, before, ROWS).await {
        Ok(log) => log,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let page = view(&state, &device, &log, before.is_none());
    page::html(StatusCode::OK, &page)
}

/// The name that was typed is kept; the page is shown again.
pub async fn name(
    path: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let (source, id) = path.into_inner();
    let named = async {
        let form = json_body::bytes(payload).await?;
        let mut fields = Fields::of_form(&form, &["name"]);
        let NameRequest { name } = fields.take();
        fields.finish_form()?;
        rename(&state, source.clone(), id.clone(), name.flatten()).await
    };
    let url = entity_url(&source, &id);
    match named.await {
        Ok(_) => HttpResponse::SeeOther().insert_header((LOCATION, url)).finish(),
        Err(problem) => page::message(&state, problem.status(), "Name not saved", &problem.sentences()),
    }
}

fn view(state: &InspectorState, device: &Device, log: &EntityLog, is_newest: bool) -> EntityPage {
    let now = state.clock.wall();
    let entity = &device.key;
    let values = Values::of(&log.payloads, log.newest);
    let times = times(&values, Some(now).filter(|_| is_newest));
    EntityPage {
        frame: Frame::of(state, "entities"),
        row: EntityRow::of(device, now),
        own_name: device.members().find_map(|one| one.own_name.as_deref()).map(plain).unwrap_or_default(),
        last_delivery: device.latest().last_delivery.to_string(),
        clock: clock_in_words(device),
        spread: entity.lag_spread_ms().map(signed_span).unwrap_or_default(),
        members: device.members().map(|one| member(one, state.silence_after(&one.source))).collect(),
        hours: hours(device, now),
        charts: charts(&values, &times),
        strips: values.states.iter().filter_map(|states| Strip::of(states, &times)).collect(),
        map: Map::of(&values.track),
        without: without(&values),
        left_out: values.left_out,
        drawn_in: stretch(log.payloads.iter().map(|(at, _)| *at)),
        readings: Readings::of(log, &values, now),
        drawn: log.rows.len(),
        deliveries_url: deliveries_url(device),
        older_url: log
            .rows
            .last()
            .filter(|_| log.has_more)
            .map(|row| format!("{}?before={}", entity_url(&entity.source, &entity.entity), row.seq)),
        is_newest,
    }
}

/// From the earliest to the latest minute, the day once where it is one: `2026-11-29 00:20 to 02:12 UTC`.
fn stretch(times: impl Iterator<Item = Timestamp> + Clone) -> String {
    let (Some(from), Some(until)) = (times.clone().min(), times.max()) else { return String::new() };
    let (from, until) = (shown_minute(from), shown_minute(until));
    if from == until {
        return format!("{from} UTC");
    }
    let is_one_day = from.get(..10) == until.get(..10);
    format!("{from} to {} UTC", until.get(if is_one_day { 11 } else { 0 }..).unwrap_or_default())
}

/// Variables without a value that are not on the map either.
fn without(values: &Values) -> String {
    let names = values.without.iter().filter(|name| !values.located.contains(name));
    names.map(|name| plain(name)).collect::<Vec<_>>().join(", ")
}

/// A time to the minute.
fn shown_minute(at: Timestamp) -> String {
    shown_time(&at.to_string()).get(..16).unwrap_or_default().to_owned()
}

/// The list of its deliveries: of every source where several speak of it.
fn deliveries_url(device: &Device) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if device.others.is_empty() {
        query.append_pair("source", &device.key.source);
    }
    query.append_pair("entity", &device.key.entity);
    format!("/?{}", query.finish())
}

fn member(entity: &Entity, rule: SilenceAfter) -> Member {
    Member {
        source: plain(&entity.source),
        deliveries: grouped(entity.deliveries),
        first_seen: shown_minute(entity.first_seen),
        silence_rule: rule_in_words(rule, entity),
        silent_since: entity.silent_at.map(shown_minute).unwrap_or_default(),
        out_of_order: entity.out_of_order,
        late: entity.late,
        of_the_future: entity.of_the_future(),
        newest_event: entity.newest_event_at.map(shown_minute).unwrap_or_default(),
    }
}

fn rule_in_words(rule: SilenceAfter, entity: &Entity) -> String {
    match (rule, rule.allowed(entity.usual())) {
        (SilenceAfter::Off, _) => "off (silence_after of the source)".to_owned(),
        (_, None) => format!("{rule}, once the usual interval is known"),
        (SilenceAfter::Time(_), Some(allowed)) => format!("after {}", span(allowed)),
        (SilenceAfter::Tenths(_), Some(allowed)) => format!("after {} ({rule})", span(allowed)),
    }
}

fn clock_in_words(device: &Device) -> String {
    match device.members().find_map(Entity::lag_ms) {
        None => {
            "No time was found in the events. If they have one, set time_pointer of the source to its field."
                .to_owned()
        }
        Some(lag) if lag < -1_000 => {
            format!("The device's clock is {} ahead.", signed_span(lag.saturating_neg()))
        }
        Some(lag) if lag > 60_000 => {
            format!("Median delay {}: a slow connection, or a clock that is behind.", signed_span(lag))
        }
        Some(lag) => format!("Median delay {}.", signed_span(lag)),
    }
}
