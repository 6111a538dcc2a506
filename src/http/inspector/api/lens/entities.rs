//! `GET entities`, `GET entities/{source}/{entity}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::domain::{Device, Entity, Timestamp};
use crate::http::inspector::InspectorState;
use crate::http::inspector::api::objects::RowObject;
use crate::http::inspector::json_body::{bad, fault, object};
use crate::http::inspector::operations::devices::{own_name, place_of, query, rename};
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{Problem, answer};
use crate::inspect::entities::{Limit, Series, States, Values, entity_log};
use crate::store::EntityOrder;

/// The default and the maximum number of rows in a list.
const LIMITS: (usize, usize) = (50, 500);
/// The default and the maximum number of deliveries of an entity.
const LOG_LIMITS: (usize, usize) = (100, 200);

fn limit(params: &mut Params, (usual, most): (usize, usize)) -> usize {
    let read = |text: &str| text.parse::<usize>().ok().filter(|limit| (1..=most).contains(limit));
    params.parsed("limit", &format!("a number from 1 to {most}"), read).unwrap_or(usual)
}

/// The list.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let limit = limit(&mut params, LIMITS);
    let now = state.clock.wall();
    let query = query(&mut params, EntityOrder::Recent, now);
    if let Err(faults) = params.finish(&["source", "q", "silent", "state", "sort", "limit", "before"]) {
        return Problem::bad_parameters(faults).response();
    }
    match state.store.entities(query, limit).await {
        Err(fault) => Problem::store_fault(&fault).response(),
        Ok(page) => {
            let entities: Vec<Value> =
                page.devices.iter().map(|device| object_of(&state, device, now)).collect();
            let next = page.next.as_ref().map(place_of);
            HttpResponse::Ok().json(json!({"entities": entities, "next": next}))
        }
    }
}

/// One entity: its properties, its last deliveries, and their values.
pub async fn one(
    path: web::Path<(String, String)>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let limit = limit(&mut params, LOG_LIMITS);
    let before = params.parsed("before", "the next of an earlier response", |text| text.parse::<i64>().ok());
    if let Err(faults) = params.finish(&["limit", "before"]) {
        return Problem::bad_parameters(faults).response();
    }
    let (source, id) = path.into_inner();
    let device = match state.store.device(source, id).await {
        Ok(Some(device)) => device,
        Ok(None) => return Problem::not_found("This source knows no device of this id.").response(),
        Err(fault) => return Problem::store_fault(&fault).response(),
    };
    let log = match entity_log(&state.store, &state.sources, &device, before, limit).await {
        Ok(log) => log,
        Err(fault) => return Problem::store_fault(&fault).response(),
    };
    let now = state.clock.wall();
    let mut object = object_of(&state, &device, now);
    if let Some(members) = object.as_object_mut() {
        let next = log.rows.last().filter(|_| log.has_more).map(|row| row.seq.to_string());
        let rows: Vec<RowObject<'_>> = log.rows.iter().map(RowObject::from).collect();
        members.insert("hours".to_owned(), json!(device.key.hours(now)));
        let values = Values::of(&log.payloads, log.newest);
        members.insert("series".to_owned(), values.series.iter().map(series_object).collect());
        members.insert("states".to_owned(), values.states.iter().map(states_object).collect());
        members.insert("limits".to_owned(), values.limits.iter().map(limit_object).collect());
        let track: Vec<Value> =
            values.track.iter().map(|place| json!([place.at.to_string(), place.lat, place.lng])).collect();
        members.insert("track".to_owned(), json!(track));
        members.insert("without_value".to_owned(), json!(values.without));
        members.insert("values_left_out".to_owned(), json!(values.left_out));
        members.insert("log".to_owned(), json!({"deliveries": rows, "next": next}));
    }
    HttpResponse::Ok().json(object)
}

/// `PATCH entities/{source}/{entity}`: sets the name of a device, or removes it with null.
pub async fn name(
    path: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            let members = object(payload, &["name"]).await?;
            let name = match members.get("name") {
                Some(Value::Null) => None,
                Some(Value::String(name)) => {
                    own_name(name).map_err(|what| bad(vec![fault("/name", what)]))?
                }
                _ => return Err(bad(vec![fault("/name", "a text, or null")])),
            };
            let (source, id) = path.into_inner();
            let device = rename(&state, source, id, name).await?;
            Ok(HttpResponse::Ok().json(object_of(&state, &device, state.clock.wall())))
        }
        .await,
    )
}

fn object_of(state: &InspectorState, device: &Device, now: Timestamp) -> Value {
    let entity: &Entity = &device.key;
    let also: Vec<String> = device.others.iter().map(|one| one.source.clone()).collect();
    let usual = entity.usual();
    let rule = state.silence_after(&entity.source);
    json!({
        "id": format!("{}/{}", entity.source, entity.entity),
        "source": entity.source,
        "entity": entity.entity,
        "name": device.name(),
        "own_name": entity.own_name,
        "state": entity.state(now).as_str(),
        "also_at": also,
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

fn limit_object(limit: &Limit) -> Value {
    json!({"name": limit.name, "value": limit.value, "operator": limit.operator})
}

fn states_object(states: &States) -> Value {
    let points: Vec<Value> = states.points.iter().map(|(at, value)| json!([at.to_string(), value])).collect();
    json!({"name": states.name, "points": points})
}
