//! `GET event-types`, `GET event-types/{name}`.

use actix_web::web;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::openapi::Done;
use crate::catalog::EventType;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::Query;
use crate::http::inspector::state::InspectorState;

/// An event type.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventTypeObject {
    id: String,
    name: String,
    title: String,
    /// Other names that are read as this one.
    aliases: Vec<String>,
    /// Where it is from.
    origin: &'static str,
}

impl From<&EventType> for EventTypeObject {
    fn from(event_type: &EventType) -> Self {
        Self {
            id: event_type.name().to_owned(),
            name: event_type.name().to_owned(),
            title: event_type.title().to_owned(),
            aliases: event_type.aliases().iter().map(ToString::to_string).collect(),
            origin: event_type.origin().as_str(),
        }
    }
}

/// An event type with its schema.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventTypeDetail {
    #[serde(flatten)]
    event_type: EventTypeObject,
    /// The JSON Schema of its payload.
    #[schema(value_type = Option<Object>)]
    schema: Option<Box<RawValue>>,
    /// The usual shape of its payload, as a JSON Schema.
    #[schema(value_type = Option<Object>)]
    shape: Option<Box<RawValue>>,
    /// An example of its payload.
    #[schema(value_type = Value)]
    example: Option<Box<RawValue>>,
}

/// Event types.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventTypeList {
    event_types: Vec<EventTypeObject>,
    next: Option<String>,
}

/// Every event type, in the order of the specification.
pub async fn list(_: Query<()>, state: web::Data<InspectorState>) -> Result<Done<EventTypeList>, Problem> {
    let event_types = state.catalog.iter().map(EventTypeObject::from).collect();
    Ok(Done(EventTypeList { event_types, next: None }))
}

/// One event type, by its name or an alias, with schema and example.
pub async fn one(
    name: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<EventTypeDetail>, Problem> {
    let missing = || Problem::not_found("The catalogue has no event type of that name.");
    let event_type = state.catalog.resolve(&name).ok_or_else(missing)?;
    Ok(Done(EventTypeDetail {
        event_type: EventTypeObject::from(event_type),
        schema: raw(Some(event_type.schema_of(&name))),
        shape: raw(event_type.shape()),
        example: raw(event_type.example()),
    }))
}

fn raw(json: Option<&str>) -> Option<Box<RawValue>> {
    serde_json::from_str(json?).ok()
}
