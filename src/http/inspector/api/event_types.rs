//! `GET event-types`, `GET event-types/{name}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::catalog::EventType;
use crate::http::inspector::InspectorState;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::Problem;

#[derive(Serialize)]
struct EventTypeObject<'a> {
    id: &'a str,
    name: &'a str,
    title: &'a str,
    aliases: &'a [&'a str],
    origin: &'static str,
}

impl<'a> From<&'a EventType> for EventTypeObject<'a> {
    fn from(event_type: &'a EventType) -> Self {
        Self {
            id: event_type.name(),
            name: event_type.name(),
            title: event_type.title(),
            aliases: event_type.aliases(),
            origin: event_type.origin().as_str(),
        }
    }
}

#[derive(Serialize)]
struct Detail<'a> {
    #[serde(flatten)]
    event_type: EventTypeObject<'a>,
    schema: Option<&'a RawValue>,
    shape: Option<&'a RawValue>,
    example: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct List<'a> {
    event_types: Vec<EventTypeObject<'a>>,
    next: Option<String>,
}

/// Every event type, in the order of the specification.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    if let Err(faults) = Params::read(request.query_string(), Blank::Fault).finish(&["none"]) {
        return Problem::bad_parameters(faults).response();
    }
    let event_types = state.catalog.iter().map(EventTypeObject::from).collect();
    HttpResponse::Ok().json(List { event_types, next: None })
}

/// One event type, by its name or an alias, with schema and example.
pub async fn one(name: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    let Some(event_type) = state.catalog.resolve(&name) else {
        return Problem::not_found("The catalogue has no event type of that name.").response();
    };
    HttpResponse::Ok().json(Detail {
        event_type: EventTypeObject::from(event_type),
        schema: raw(Some(event_type.schema_of(&name))),
        shape: raw(event_type.shape()),
        example: raw(event_type.example()),
    })
}

fn raw(json: Option<&str>) -> Option<&RawValue> {
    serde_json::from_str(json?).ok()
}
