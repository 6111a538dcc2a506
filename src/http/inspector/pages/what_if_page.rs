//! `/what-if`: a source as it would be, and `/what-if/{id}`: what its stored deliveries would have become.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::page::{self, Frame};
use crate::config::{draft_source, toml_members};
use crate::domain::{Gate, Scheme, Timestamp, counted, plain};
use crate::http::inspector::json_body;
use crate::http::inspector::operations::replay::fault;
use crate::http::inspector::operations::what_if::{Draft, LAST, Schemas, WhatIfRequest, run, sentence, word};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::remembered::Apply;
use crate::http::inspector::request::{Blank, Fields, Members, Range};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::When;
use crate::inspect::what_if::{Flip, Progress, State};
use crate::signing;

/// Flips of a page.
const PAGE: usize = 200;

#[derive(Template)]
#[template(path = "what_if.html")]
struct FormPage {
    frame: Frame,
    sources: Vec<String>,
    source: String,
    schemes: Vec<&'static str>,
    present: String,
    q: String,
    last: usize,
    /// Other keys, as in the configuration.
    toml: String,
    /// Whether only the secret is asked for at first.
    only_secret: bool,
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "what_if_run.html")]
struct RunPage {
    frame: Frame,
    /// How the configuration gets into force.
    apply: Apply,
    id: String,
    source: String,
    state: &'static str,
    is_running: bool,
    done: usize,
    total: usize,
    sentence: String,
    /// What to apply, where that is of use.
    configuration: Option<String>,
    /// A warning before it is applied.
    warning: Option<String>,
    flips: Vec<FlipView>,
    all_flips: usize,
    next: Option<usize>,
}

struct FlipView {
    id: String,
    received: When,
    before: &'static str,
    after: &'static str,
    is_better: bool,
    gate: &'static str,
    seen: String,
}

/// What the form is filled with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    source: Option<String>,
    q: String,
    toml: String,
    only: String,
}

impl Members for Wanted {}

/// From which delivery on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Later {
    from: Option<Range<0, 1_000_000>>,
}

impl Members for Later {}

/// The form.
pub async fn form(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let Wanted { source, q, toml, only } = Fields::of_query(request.query_string(), Blank::Absent).take();
    shown(&state, StatusCode::OK, Asked { source, q, toml, only_secret: only == "secret" }, None)
}

/// What the form is asked to show.
struct Asked {
    source: Option<String>,
    q: String,
    toml: String,
    only_secret: bool,
}

fn shown(
    state: &InspectorState,
    status: StatusCode,
    Asked { source, q, toml, only_secret }: Asked,
    fault: Option<String>,
) -> HttpResponse {
    let sources = state.sources.all();
    let chosen = sources.iter().find(|known| Some(&known.name) == source.as_ref()).or(sources.first());
    let Some(present) = chosen else { return page::not_found(state, "There is no source.") };
    // Nothing is changed, so nothing can be wrong; a secret that is gone meanwhile leaves the entry blank.
    let entry = draft_source(present, &Map::new(), state.sender.secrets(), signing::check_key);
    let form = FormPage {
        frame: Frame::of(state, "deliveries"),
        source: present.name.clone(),
        sources: sources.iter().map(|source| source.name.clone()).collect(),
        schemes: Scheme::ALL.map(Scheme::as_str).into(),
        present: entry.map(|entry| entry.toml).unwrap_or_default(),
        q,
        last: LAST,
        toml,
        only_secret,
        fault,
    };
    page::html(status, &form)
}

/// Starts what the form says and leads to its page.
pub async fn start(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    let form = match json_body::bytes(payload).await {
        Ok(form) => form,
        Err(problem) => {
            return page::message(&state, problem.status(), "Nothing was run", &problem.sentences());
        }
    };
    let field = |name: &str| text_of(&form, name);
    match read(&state, &form).and_then(|request| run(&state, request)) {
        Ok(id) => HttpResponse::SeeOther().insert_header((LOCATION, format!("/what-if/{id}"))).finish(),
        Err(problem) => {
            let why = problem.sentences();
            let only_secret = field("only").is_some_and(|only| only == "secret");
            let asked = Asked {
                source: field("source"),
                q: field("q").unwrap_or_default(),
                toml: field("toml").unwrap_or_default(),
                only_secret,
            };
            shown(&state, problem.status(), asked, Some(why))
        }
    }
}

fn text_of(form: &Bytes, name: &str) -> Option<String> {
    let found = form_urlencoded::parse(form).find(|(known, _)| known == name);
    found.map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// What the form asks. The present secrets stay accepted next to a new one.
fn read(state: &InspectorState, form: &Bytes) -> Result<WhatIfRequest, Problem> {
    let field = |name: &str| text_of(form, name);
    let wrong = |what: &str, why: String| Problem::bad_body(vec![fault(what, why)]);
    let mut fields = Fields::of_form(form, &[]);
    let request: WhatIfRequest = fields.take_without(&["draft", "schemas"]);
    fields.finish_form()?;
    let mut draft = match field("toml") {
        Some(text) => toml_members(&text).map_err(|why| wrong("/draft", why))?,
        None => Map::new(),
    };
    let mut put =
        |name: &str, value: Option<Value>| draft.extend(value.map(|value| (name.to_owned(), value)));
    let source = field("source").and_then(|name| state.sources.named(&name)).or_else(|| state.first_source());
    let present = source.map(|source| source.signature.secrets).unwrap_or_default();
    let present = present.iter().map(|secret| secret.name().to_owned());
    put("secrets", field("secret").map(|secret| present.chain([secret]).map(Value::from).collect()));
    for name in ["signature", "tolerance", "schema"] {
        put(name, field(name).map(Value::from));
    }
    let ranges = |text: String| -> Value {
        text.split([',', ' ', '\n', '\r']).filter(|range| !range.is_empty()).collect()
    };
    put("allow", field("allow").map(ranges));
    let mut schemas = None;
    if let Some(schema) = field("json_schema") {
        let name = field("event_type")
            .ok_or_else(|| wrong("/schemas", "an event type is needed for the schema".to_owned()))?;
        let schema: Value = serde_json::from_str(&schema)
            .map_err(|why| wrong("/schemas", format!("the schema is not JSON: {why}")))?;
        schemas = Some(Schemas(Map::from_iter([(name, schema)])));
    }
    Ok(WhatIfRequest { draft: Some(Draft(draft)), schemas, ..request })
}

/// What a run found.
pub async fn one(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let Later { from } = Fields::of_query(request.query_string(), Blank::Absent).take();
    let from = from.map_or(0, Range::size);
    match id.parse().ok().and_then(|id| state.what_if.progress(id)) {
        Some(progress) => page::html(StatusCode::OK, &view(&state, &progress, from)),
        None => page::not_found(
            &state,
            "There is no such run. A few of the last ones are remembered until the program ends.",
        ),
    }
}

/// Ends a run.
pub async fn cancel(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    match id.parse() {
        Ok(id) if state.what_if.cancel(id) => {
            HttpResponse::SeeOther().insert_header((LOCATION, format!("/what-if/{id}"))).finish()
        }
        _ => page::not_found(&state, "There is no such run."),
    }
}

fn view(state: &InspectorState, progress: &Progress, from: usize) -> RunPage {
    let next = from.saturating_add(PAGE);
    let now = state.clock.wall();
    let is_running = progress.state == State::Running;
    RunPage {
        frame: Frame::of(state, "deliveries"),
        apply: state.apply(),
        id: progress.id.to_string(),
        source: progress.source.clone(),
        state: progress.state.as_str(),
        is_running,
        done: progress.done,
        total: progress.total,
        sentence: sentence(progress),
        configuration: (!is_running && progress.is_useful()).then(|| progress.configuration.clone()),
        warning: warning(progress),
        flips: progress.flips.iter().skip(from).take(PAGE).map(|one| flip(one, now)).collect(),
        all_flips: progress.would_pass
            + progress.would_be_refused
            + progress.other_reason
            + progress.other_event,
        next: (next < progress.flips.len()).then_some(next),
    }
}

/// What speaks against applying a draft.
fn warning(progress: &Progress) -> Option<String> {
    let rejected = u64::try_from(progress.would_be_refused).unwrap_or(u64::MAX);
    let passed = counted(rejected, "delivery");
    match (rejected, progress.search.is_empty()) {
        (0, true) => None,
        (0, false) => Some(
            "This says nothing about the other deliveries of the source. Check them too, without a search."
                .to_owned(),
        ),
        _ => Some(format!("{passed} that passed would be rejected. Look at them first.")),
    }
}

fn flip(flip: &Flip, now: Timestamp) -> FlipView {
    FlipView {
        id: flip.id.to_string(),
        received: When::clock(flip.id.made_at(), now),
        before: word(&flip.before),
        after: word(&flip.after),
        is_better: flip.after == crate::inspect::what_if::Side::Passes,
        gate: flip.gate.map_or("", Gate::as_str),
        seen: plain(&flip.seen),
    }
}
