//! Stored deliveries under other rules.

use actix_web::http::StatusCode;
use serde::de;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::replay::fault;
use crate::catalog::Catalog;
use crate::config::draft_source;
use crate::domain::json::pointer;
use crate::domain::{DeliveryFilter, ReplayId, plain};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Limit100k, Members, Range, SearchParam, Searched};
use crate::http::inspector::state::InspectorState;
use crate::inspect::what_if::{Asked, Progress, Side};
use crate::signing;

/// Deliveries that are looked at where nothing is said.
pub const LAST: usize = 1_000;

/// The most schemas of a draft.
const MOST_SCHEMAS: usize = 20;

/// Rules under which stored deliveries are checked again.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct WhatIfRequest {
    /// The source.
    #[schema(value_type = String)]
    pub source: Option<String>,
    /// Keys of `[[source]]` that differ from the configuration.
    #[schema(value_type = Option<Object>)]
    pub draft: Option<Draft>,
    /// JSON Schemas by the names of their events, at most 20.
    #[schema(value_type = Option<Object>)]
    pub schemas: Option<Schemas>,
    /// The number of newest deliveries; 1,000 without it.
    #[schema(inline)]
    pub last: Option<Limit100k>,
    /// Only deliveries that this search finds.
    #[schema(inline)]
    pub q: Option<SearchParam>,
}

impl Members for WhatIfRequest {}

/// Keys of `[[source]]`.
#[derive(Clone, Debug, Default)]
pub struct Draft(pub Map<String, Value>);

impl<'de> Deserialize<'de> for Draft {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(de::Error::custom("an object with keys of [[source]]")),
        }
    }
}

/// JSON Schemas by the names of their events.
#[derive(Clone, Debug, Default)]
pub struct Schemas(pub Map<String, Value>);

impl<'de> Deserialize<'de> for Schemas {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::Object(schemas) if schemas.len() <= MOST_SCHEMAS => Ok(Self(schemas)),
            _ => Err(de::Error::custom("an object of JSON Schemas by the names of their events")),
        }
    }
}

/// Starts what is asked for.
///
/// # Errors
/// 400 with every fault; 429 where too many runs go on.
pub fn run(state: &InspectorState, request: WhatIfRequest) -> Result<ReplayId, Problem> {
    let bad = |pointer: &str, why: &str| Problem::bad_body(vec![fault(pointer, why)]);
    let name = request.source.unwrap_or_default();
    let sources = state.sources.all();
    let Some(present) = sources.iter().find(|source| source.name == name) else {
        let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        return Err(bad("/source", &format!("one of {}", names.join(", "))));
    };
    let Draft(changes) = request.draft.unwrap_or_default();
    if changes.contains_key("name") {
        return Err(bad("/draft/name", "the name of a source is what its deliveries came to"));
    }
    let (search, query) = match request.q {
        Some(As(Searched { text, query })) => (text.trim().to_owned(), Some(query)),
        None => (String::new(), None),
    };
    let catalog = drafted_catalog(&state.catalog, request.schemas.unwrap_or_default())?;
    let catalog_is_present = catalog.is_none();
    let drafted = draft_source(present, &changes, state.sender.secrets(), signing::check_key)
        .map_err(|faults| Problem::bad_body(faults.iter().map(|what| fault("/draft", what)).collect()))?;
    let asked = Asked {
        source: drafted.source,
        catalog,
        configuration: drafted.toml,
        last: request.last.map_or(LAST, Range::size),
        filter: DeliveryFilter {
            q: query.filter(|query| !query.is_everything()),
            ..DeliveryFilter::default()
        },
        search,
        only_secrets: changes.keys().all(|key| key == "secrets") && catalog_is_present,
    };
    state.what_if.start(asked, state.clock.wall()).ok_or_else(|| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many runs are active; wait for one to finish, or stop one.",
        )
    })
}

fn drafted_catalog(catalog: &Catalog, Schemas(schemas): Schemas) -> Result<Option<Catalog>, Problem> {
    let mut drafted = None;
    for (name, schema) in schemas {
        let present = drafted.as_ref().unwrap_or(catalog);
        let next = present.with_schema(&name, schema.to_string());
        drafted = Some(next.map_err(|faults| {
            let at = |pointer: &str| format!("{}{pointer}", pointer::child("/schemas", &name));
            Problem::bad_body(faults.iter().map(|found| fault(&at(&found.pointer), &found.why)).collect())
        })?);
    }
    Ok(drafted)
}

/// What was found, in a sentence.
pub fn sentence(progress: &Progress) -> String {
    let more = |count: usize, what: &str| {
        if count == 0 { String::new() } else { format!(", {count} {what}") }
    };
    let left_out = match (progress.search.as_str(), progress.has_more) {
        ("", false) => String::new(),
        ("", true) => " Older deliveries were not checked.".to_owned(),
        (search, _) => format!(" Only deliveries that match “{}” were checked.", plain(search)),
    };
    format!(
        "Of {} {}, {} that {} rejected would pass, and {} that passed would be rejected{}{}{}.{left_out}",
        progress.done,
        if progress.done == 1 { "delivery" } else { "deliveries" },
        progress.would_pass,
        if progress.would_pass == 1 { "was" } else { "were" },
        progress.would_be_refused,
        more(progress.other_reason, "would be rejected for another reason"),
        more(progress.other_event, "would have another event type or id"),
        more(progress.cannot_tell, "cannot be checked, because their bodies are incomplete"),
    )
}

/// A side's word.
pub fn word(side: &Side) -> &'static str {
    match side {
        Side::Passes => "passes",
        Side::Refused(reason) => reason.as_str(),
    }
}
