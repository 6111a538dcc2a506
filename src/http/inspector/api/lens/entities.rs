//! `GET entities`, `GET entities/{source}/{entity}`.

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::{Device, Entity, Timestamp};
use crate::http::inspector::answer::{DeviceWord, Time};
use crate::http::inspector::api::objects::RowObject;
use crate::http::inspector::api::openapi::Done;
use crate::http::inspector::operations::devices::{DeviceParams, NameRequest, place_of, rename};
use crate::http::inspector::operations::replay::fault;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{
    As, Cursor, CursorParam, Json, Limit as RowLimit, Limit200, Members, Query, Range,
};
use crate::http::inspector::state::InspectorState;
use crate::inspect::entities::{Limit, Series, States, Values, entity_log};
use crate::store::EntityOrder;

/// The default number of rows in a list.
const ROWS: usize = 50;
/// The default number of deliveries of an entity.
const LOG_ROWS: usize = 100;

/// How many devices.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct DeviceLimit {
    /// The maximum number of rows; 50 without it.
    #[param(inline)]
    limit: Option<RowLimit>,
}

impl Members for DeviceLimit {}

/// How many of a device's deliveries.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct LogParams {
    /// The maximum number of deliveries; 100 without it.
    #[param(inline)]
    limit: Option<Limit200>,
    /// The `next` of `log` in an earlier response.
    #[param(inline)]
    before: Option<CursorParam>,
}

impl Members for LogParams {}

/// Devices.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceList {
    entities: Vec<DeviceObject>,
    next: Option<String>,
}

/// A device, or whatever else deliveries are about.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceObject {
    id: String,
    source: String,
    entity: String,
    /// The name that was set, or the one in payloads.
    name: Option<String>,
    /// The name that was set.
    own_name: Option<String>,
    state: DeviceWord,
    /// Other sources with the same id.
    also_at: Vec<String>,
    first_seen: Time,
    last_seen: Time,
    silent_for_s: i64,
    /// After how long it is silent; null if that is not watched.
    silence_after_s: Option<f64>,
    silent_since: Option<Time>,
    usual_interval_s: Option<f64>,
    deliveries: u64,
    in_24h: u64,
    lag_ms: Option<i64>,
    lag_spread_ms: Option<i64>,
    out_of_order: u64,
    late: u64,
    of_the_future: u64,
    last_delivery_id: String,
    last_event_type: Option<String>,
}

/// A device, its last deliveries and their values.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceDetail {
    #[serde(flatten)]
    device: DeviceObject,
    /// Deliveries of each of the last 24 hours, the oldest first.
    hours: Vec<u32>,
    series: Vec<SeriesObject>,
    states: Vec<StatesObject>,
    limits: Vec<LimitObject>,
    /// Time, latitude and longitude.
    #[schema(value_type = Vec<Vec<Value>>)]
    track: Vec<(Time, f64, f64)>,
    /// Variables without a value that can be shown.
    without_value: Vec<String>,
    /// Values that are not shown, because there are too many.
    values_left_out: usize,
    log: DeviceLog,
}

/// The deliveries of a device.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceLog {
    deliveries: Vec<RowObject>,
    next: Option<String>,
}

/// The numbers of a variable.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeriesObject {
    name: String,
    unit: Option<String>,
    /// Time and value, the oldest first.
    #[schema(value_type = Vec<Vec<Value>>)]
    points: Vec<(Time, f64)>,
}

/// The states of a variable.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatesObject {
    name: String,
    /// Time and value, the oldest first.
    points: Vec<(Time, String)>,
}

/// A limit of a variable.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitObject {
    name: String,
    value: f64,
    operator: String,
}

/// The list.
pub async fn list(
    Query((params, limit)): Query<(DeviceParams, DeviceLimit)>,
    state: web::Data<InspectorState>,
) -> Result<Done<DeviceList>, Problem> {
    let now = state.clock.wall();
    let limit = limit.limit.map_or(ROWS, Range::size);
    let page = state.store.entities(params.query(EntityOrder::Recent, now), limit).await?;
    let entities = page.devices.iter().map(|device| object(&state, device, now)).collect();
    Ok(Done(DeviceList { entities, next: page.next.as_ref().map(place_of) }))
}

/// One entity: its properties, its last deliveries, and their values.
pub async fn one(
    path: web::Path<(String, String)>,
    Query(params): Query<LogParams>,
    state: web::Data<InspectorState>,
) -> Result<Done<DeviceDetail>, Problem> {
    let limit = params.limit.map_or(LOG_ROWS, Range::size);
    let before = params.before.map(|As(Cursor(before))| before);
    let (source, id) = path.into_inner();
    let missing = || Problem::not_found("This source knows no device of this id.");
    let device = state.store.device(source, id).await?.ok_or_else(missing)?;
    let log = entity_log(&state.store, &state.sources, &device, before, limit).await?;
    let now = state.clock.wall();
    let values = Values::of(&log.payloads, log.newest);
    let next = log.rows.last().filter(|_| log.has_more).map(|row| row.seq.to_string());
    Ok(Done(DeviceDetail {
        device: object(&state, &device, now),
        hours: device.key.hours(now).to_vec(),
        series: values.series.iter().map(series).collect(),
        states: values.states.iter().map(states).collect(),
        limits: values.limits.iter().map(limit_of).collect(),
        track: values.track.iter().map(|place| (place.at.into(), place.lat, place.lng)).collect(),
        without_value: values.without,
        values_left_out: values.left_out,
        log: DeviceLog { deliveries: log.rows.iter().map(RowObject::from).collect(), next },
    }))
}

/// `PATCH entities/{source}/{entity}`: sets the name of a device, or removes it with null.
pub async fn name(
    path: web::Path<(String, String)>,
    Json(request): Json<NameRequest>,
    state: web::Data<InspectorState>,
) -> Result<Done<DeviceObject>, Problem> {
    let name = request.name.ok_or_else(|| Problem::bad_body(vec![fault("/name", "a string, or null")]))?;
    let (source, id) = path.into_inner();
    let device = rename(&state, source, id, name).await?;
    Ok(Done(object(&state, &device, state.clock.wall())))
}

fn object(state: &InspectorState, device: &Device, now: Timestamp) -> DeviceObject {
    let entity: &Entity = &device.key;
    let usual = entity.usual();
    let rule = state.silence_after(&entity.source);
    DeviceObject {
        id: format!("{}/{}", entity.source, entity.entity),
        source: entity.source.clone(),
        entity: entity.entity.clone(),
        name: device.name().map(str::to_owned),
        own_name: entity.own_name.clone(),
        state: entity.state(now).into(),
        also_at: device.others.iter().map(|one| one.source.clone()).collect(),
        first_seen: entity.first_seen.into(),
        last_seen: entity.last_seen.into(),
        silent_for_s: now.as_micros().saturating_sub(entity.last_seen.as_micros()).max(0) / 1_000_000,
        silence_after_s: rule.allowed(usual).map(|allowed| allowed.as_secs_f64()),
        silent_since: entity.silent_at.map(Time),
        usual_interval_s: usual.map(|usual| usual.as_secs_f64()),
        deliveries: entity.deliveries,
        in_24h: entity.in_24h(now),
        lag_ms: entity.lag_ms(),
        lag_spread_ms: entity.lag_spread_ms(),
        out_of_order: entity.out_of_order,
        late: entity.late,
        of_the_future: entity.of_the_future(),
        last_delivery_id: entity.last_delivery.to_string(),
        last_event_type: entity.last_event_type.clone(),
    }
}

fn series(series: &Series) -> SeriesObject {
    SeriesObject {
        name: series.name.clone(),
        unit: series.unit.clone(),
        points: series.points.iter().map(|point| (point.at.into(), point.value)).collect(),
    }
}

fn limit_of(limit: &Limit) -> LimitObject {
    LimitObject { name: limit.name.clone(), value: limit.value, operator: limit.operator.clone() }
}

fn states(states: &States) -> StatesObject {
    let points = states.points.iter().map(|(at, value)| (Time(*at), value.clone()));
    StatesObject { name: states.name.clone(), points: points.collect() }
}
