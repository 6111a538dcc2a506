//! `GET entities`, `GET entities/{source}/{entity}`.

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::domain::{Entity, Timestamp};
use crate::http::api::objects::RowObject;
use crate::http::api::{Blank, Params};
use crate::http::inspector::InspectorState;
use crate::http::problem::Problem;
use crate::inspect::entities::{Series, States, Values, entity_log};
use crate::store::{EntityOrder, EntityPlace, EntityQuery};

/// Rows of a list where no limit is given, and the most.
const LIMITS: (usize, usize) = (50, 500);
/// Deliveries of one entity where no limit is given, and the most.
const LOG_LIMITS: (usize, usize) = (100, 200);

fn limit(params: &mut Params, (usual, most): (usize, usize)) -> usize {
    let read = |text: &str| text.parse::<usize>().ok().filter(|limit| (1..=most).contains(limit));
    params.parsed("limit", &format!("a number from 1 to {most}"), read).unwrap_or(usual)
}

/// Takes what is asked for.
pub fn query(params: &mut Params) -> EntityQuery {
    let is_true = |text: &str| text.parse::<bool>().ok();
    EntityQuery {
        source: params.text("source"),
        q: params.text("q"),
        is_silent: params.parsed("silent", "true or false", is_true).unwrap_or(false),
        order: params
            .parsed("sort", "recent or silence", |text| match text {
                "recent" => Some(EntityOrder::Recent),
                "silence" => Some(EntityOrder::Silence),
                _ => None,
            })
            .unwrap_or_default(),
        after: params.parsed("before", "the next of an earlier answer", place),
    }
}

/// A place as `next` has it.
#[must_use]
pub fn place_of(place: &EntityPlace) -> String {
    let text = json!([place.last_seen.as_micros(), place.source, place.entity]).to_string();
    URL_SAFE_NO_PAD.encode(text)
}

fn place(text: &str) -> Option<EntityPlace> {
    let text = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (micros, source, entity): (i64, String, String) = serde_json::from_slice(&text).ok()?;
    Some(EntityPlace { last_seen: Timestamp::from_micros(micros), source, entity })
}

/// The list.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let limit = limit(&mut params, LIMITS);
    let query = query(&mut params);
    if let Err(faults) = params.finish(&["source", "q", "silent", "sort", "limit", "before"]) {
        return Problem::bad_parameters(faults).response();
    }
    match state.store.entities(query, limit).await {
        Err(fault) => Problem::store_fault(&fault).response(),
        Ok(page) => {
            let now = state.clock.wall();
            let entities: Vec<Value> =
                page.entities.iter().map(|entity| object_of(&state, entity, now)).collect();
            let next = page.next.as_ref().map(place_of);
            HttpResponse::Ok().json(json!({"entities": entities, "next": next}))
        }
    }
}

/// One entity: what is known of it, its last deliveries, and the values they carry.
pub async fn one(
    path: web::Path<(String, String)>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let limit = limit(&mut params, LOG_LIMITS);
    let before = params.parsed("before", "the next of an earlier answer", |text| text.parse::<i64>().ok());
    if let Err(faults) = params.finish(&["limit", "before"]) {
        return Problem::bad_parameters(faults).response();
    }
    let (source, id) = path.into_inner();
    let entity = match state.store.entity(source.clone(), id.clone()).await {
        Ok(Some(entity)) => entity,
        Ok(None) => return Problem::not_found("Nothing of that id was heard of at that source.").response(),
        Err(fault) => return Problem::store_fault(&fault).response(),
    };
    let log = match entity_log(&state.store, &state.sources, (source, id), before, limit).await {
        Ok(log) => log,
        Err(fault) => return Problem::store_fault(&fault).response(),
    };
    let now = state.clock.wall();
    let mut object = object_of(&state, &entity, now);
    if let Some(members) = object.as_object_mut() {
        let next = log.rows.last().filter(|_| log.has_more).map(|row| row.seq.to_string());
        let rows: Vec<RowObject<'_>> = log.rows.iter().map(RowObject::from).collect();
        members.insert("hours".to_owned(), json!(entity.hours(now)));
        let values = Values::of(&log.payloads, log.newest);
        members.insert("series".to_owned(), values.series.iter().map(series_object).collect());
        members.insert("states".to_owned(), values.states.iter().map(states_object).collect());
        members.insert("without_value".to_owned(), json!(values.without));
        members.insert("values_left_out".to_owned(), json!(values.left_out));
        members.insert("log".to_owned(), json!({"deliveries": rows, "next": next}));
    }
    HttpResponse::Ok().json(object)
}

fn object_of(state: &InspectorState, entity: &Entity, now: Timestamp) -> Value {
    let usual = entity.usual();
    let rule = state.silence_after(&entity.source);
    json!({
        "id": format!("{}/{}", entity.source, entity.entity),
        "source": entity.source,
        "entity": entity.entity,
        "name": entity.name,
        "first_seen": entity.first_seen.to_string(),
        "last_seen": entity.last_seen.to_string(),
        "silent_for_s": now.as_micros().saturating_sub(entity.last_seen.as_micros()).max(0) / 1_000_000,
        "silence_after_s": rule.allowed(usual).map(|allowed| allowed.as_secs_f64()),
        "silent_since": entity.silent_at.map(|at| at.to_string()),
        "usual_interval_s": usual.map(|usual| usual.as_secs_f64()),
        "deliveries": entity.deliveries,
        "in_24h": entity.in_24h(now),
        "lag_ms": entity.lag_ms(),
        "lag_spread_ms": entity.lag_spread_ms(),
        "out_of_order": entity.out_of_order,
        "late": entity.late,
        "of_the_future": entity.of_the_future(),
        "last_delivery_id": entity.last_delivery.to_string(),
        "last_event_type": entity.last_event_type,
    })
}

fn series_object(series: &Series) -> Value {
    let points: Vec<Value> =
        series.points.iter().map(|point| json!([point.at.to_string(), point.value])).collect();
    json!({"name": series.name, "unit": series.unit, "points": points})
}

fn states_object(states: &States) -> Value {
    let points: Vec<Value> = states.points.iter().map(|(at, value)| json!([at.to_string(), value])).collect();
    json!({"name": states.name, "points": points})
}
