//! `GET suggestions`: completions for the search box.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::domain::Device;
use crate::http::inspector::InspectorState;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::Problem;
use crate::inspect::search::{Suggestion, Typing, quoted};
use crate::store::{EntityQuery, StoreError};

/// The maximum number of devices suggested.
const DEVICES: usize = 8;

/// The suggestions for a search `q` with the caret after `at` characters.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Absent);
    let search = params.text("q").unwrap_or_default();
    let at = params.parsed("at", "a number of characters", |text| text.parse::<usize>().ok());
    if let Err(faults) = params.finish(&["q", "at"]) {
        return Problem::bad_parameters(faults).response();
    }
    let typing = Typing::at(&search, at.unwrap_or_else(|| search.chars().count()));
    match values(&state, &typing).await {
        Err(fault) => Problem::store_fault(&fault).response(),
        Ok(values) => {
            let all: Vec<Value> = typing
                .suggestions(&values)
                .into_iter()
                .map(
                    |one| json!({"from": typing.from, "to": typing.to, "text": one.text, "about": one.about}),
                )
                .collect();
            HttpResponse::Ok().json(json!({"suggestions": all}))
        }
    }
}

/// The values of a field that depend on the configuration and on stored deliveries.
async fn values(state: &InspectorState, typing: &Typing) -> Result<Vec<Suggestion>, StoreError> {
    let plain = |text: &str| Suggestion { text: quoted(text), about: String::new() };
    Ok(match typing.field {
        Some("source") => {
            state.source_names().iter().map(String::as_str).chain(["webhook-test"]).map(plain).collect()
        }
        Some("type") => {
            let learnt = state.store.drift_types().await?;
            let mut names: Vec<&str> = learnt.iter().map(|known| known.event_type.as_str()).collect();
            names.extend(state.catalog.iter().map(|event_type| event_type.name()));
            let mut seen = std::collections::HashSet::new();
            names.into_iter().filter(|name| seen.insert(*name)).map(plain).collect()
        }
        Some("device") => {
            let (q, now) = (Some(typing.text.clone()), state.clock.wall());
            let query = EntityQuery { q, now, is_joined: true, ..EntityQuery::default() };
            let found = state.store.entities(query, DEVICES).await?.devices;
            let suggestion = |device: &Device| Suggestion {
                text: quoted(&device.key.entity),
                about: device.name().unwrap_or_default().to_owned(),
            };
            found.iter().map(suggestion).collect()
        }
        _ => Vec::new(),
    })
}
