//! Stored deliveries under other rules.

use actix_web::http::StatusCode;
use serde_json::{Map, Value};

use crate::catalog::Catalog;
use crate::config::draft_source;
use crate::domain::json::pointer;
use crate::domain::{DeliveryFilter, ReplayId, plain};
use crate::http::inspector::json_body::{bad, fault};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::inspect::search;
use crate::inspect::what_if::{Asked, MOST, Progress, Side};
use crate::signing;

/// Deliveries that are looked at where nothing is said.
pub const LAST: usize = 1_000;

/// The most schemas of a draft.
const MOST_SCHEMAS: usize = 20;

/// Starts what the members ask for.
///
/// # Errors
/// 400 with every fault; 429 where too many runs go on.
pub fn run(state: &InspectorState, members: &Map<String, Value>) -> Result<ReplayId, Problem> {
    let name = members.get("source").and_then(Value::as_str).unwrap_or_default();
    let sources = state.sources.all();
    let Some(present) = sources.iter().find(|source| source.name == name) else {
        let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        return Err(bad(vec![fault("/source", &format!("one of {}", names.join(", ")))]));
    };
    let empty = Map::new();
    let changes = match members.get("draft") {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(changes)) => changes,
        Some(_) => return Err(bad(vec![fault("/draft", "an object with keys of [[source]]")])),
    };
    if changes.contains_key("name") {
        return Err(bad(vec![fault("/draft/name", "the name of a source is what its deliveries came to")]));
    }
    let last = match members.get("last") {
        None | Some(Value::Null) => LAST,
        Some(value) => value
            .as_u64()
            .and_then(|last| usize::try_from(last).ok())
            .filter(|last| (1..=MOST).contains(last))
            .ok_or_else(|| bad(vec![fault("/last", &format!("a number from 1 to {MOST}"))]))?,
    };
    let searched = match members.get("q") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text.trim(),
        Some(_) => return Err(bad(vec![fault("/q", "a search, as text")])),
    };
    let q = search::parse(searched).map_err(|wrong| bad(vec![fault("/q", &wrong.to_string())]))?;
    let catalog = drafted_catalog(&state.catalog, members.get("schemas"))?;
    let catalog_is_present = catalog.is_none();
    let drafted = draft_source(present, changes, state.sender.secrets(), signing::check_key)
        .map_err(|faults| bad(faults.iter().map(|what| fault("/draft", what)).collect()))?;
    let asked = Asked {
        source: drafted.source,
        catalog,
        configuration: drafted.toml,
        last,
        filter: DeliveryFilter { q: Some(q).filter(|q| !q.is_everything()), ..DeliveryFilter::default() },
        search: searched.to_owned(),
        only_secrets: changes.keys().all(|key| key == "secrets") && catalog_is_present,
    };
    state.what_if.start(asked, state.clock.wall()).ok_or_else(|| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many runs are active; wait for one to finish, or stop one.",
        )
    })
}

fn drafted_catalog(catalog: &Catalog, asked: Option<&Value>) -> Result<Option<Catalog>, Problem> {
    let what = "an object of JSON Schemas by the names of their events";
    let schemas = match asked {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(schemas)) if schemas.len() <= MOST_SCHEMAS => schemas,
        Some(_) => return Err(bad(vec![fault("/schemas", what)])),
    };
    let mut drafted = None;
    for (name, schema) in schemas {
        let present = drafted.as_ref().unwrap_or(catalog);
        let next = present.with_schema(name, schema.to_string());
        drafted = Some(next.map_err(|faults| {
            let at = |pointer: &str| format!("{}{pointer}", pointer::child("/schemas", name));
            bad(faults.iter().map(|found| fault(&at(&found.pointer), &found.why)).collect())
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
