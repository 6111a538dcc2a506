//! `/replays`: many deliveries replayed: what a search would replay, the run on its way, and the runs before.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::again::{ReplayView, signature_words, target_words, view};
use super::page::{self, Frame};
use crate::domain::{ReplayId, ReplayRun, RunState, Timestamp, Verdict, plain};
use crate::http::inspector::json_body;
use crate::http::inspector::operations::replay::{Place, enabled_subscriptions};
use crate::http::inspector::operations::replay_runs::{
    Planned, RunOptions, RunRequest, begin, found, order, plan, turned,
};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Blank, DeliveryParams, Fields, Members};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::When;
use crate::inspect::replay::Group;
use crate::inspect::search::from_parameters;

/// Runs of a page, and replays of a run's page.
const ROWS: usize = 50;
/// Groups of a plan that are listed.
const LISTED: usize = 12;

#[derive(Template)]
#[template(path = "replays.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    fault: Option<String>,
    plan: Option<PlanView>,
    runs: Vec<RunView>,
    older: Option<String>,
}

/// The form's fields as they were typed.
#[derive(Default)]
struct Form {
    fields: Vec<(String, String)>,
    subscriptions: Vec<(String, String)>,
}

struct PlanView {
    count: u32,
    has_more: bool,
    first: Option<(String, When)>,
    last: Option<(String, When)>,
    lasts: Option<String>,
    /// What they are: event, source, verdict, how many.
    groups: Vec<(String, String, &'static str, u32)>,
    /// Groups that are not listed.
    more_groups: usize,
    /// Rejected ones that may be accepted, and the subscriptions that would then get them.
    revived: Option<(u32, Vec<String>)>,
    /// What comes in after the plan was made is not sent with it.
    until: String,
    run: RunView,
}

struct RunView {
    id: String,
    started: When,
    filter: String,
    search: String,
    to: String,
    signature: &'static str,
    order: &'static str,
    pace: String,
    stops_on_error: bool,
    state: &'static str,
    is_running: bool,
    can_resume: bool,
    why: Option<String>,
    total: u32,
    done: u32,
    sent: u32,
    failed: u32,
    gone: u32,
}

#[derive(Template)]
#[template(path = "replay_run.html")]
struct RunPage {
    frame: Frame,
    run: RunView,
    /// The id of each original, its time, and the result.
    replays: Vec<(String, When, ReplayView)>,
    /// Whether a response is shown: this receiver's is on its delivery's own page.
    has_answers: bool,
    older: Option<String>,
}

impl Form {
    fn of(state: &InspectorState, bytes: &[u8]) -> Self {
        let fields = form_urlencoded::parse(bytes)
            .map(|(name, value)| (name.into_owned(), value.trim().to_owned()))
            .filter(|(_, value)| !value.is_empty());
        Self { fields: fields.collect(), subscriptions: enabled_subscriptions(state) }
    }

    fn get(&self, name: &str) -> &str {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    /// How many deliveries were selected one by one.
    fn selected(&self) -> usize {
        selected(self.get("ids"))
    }

    /// How many of them are not in the log any more.
    fn missing(&self, plan: &PlanView) -> usize {
        let found = usize::try_from(plan.count).unwrap_or(usize::MAX);
        if plan.has_more || !self.is("q", "") { 0 } else { self.selected().saturating_sub(found) }
    }
}

/// Fields that only the form has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct FormOnly {
    /// The target, if it is typed.
    url: String,
    /// When the plan was shown.
    until: Option<As<Timestamp>>,
}

impl Members for FormOnly {}

/// The run that a form asks for.
fn request(form: &[u8]) -> Result<RunRequest, Problem> {
    let mut fields = Fields::of_form(form, &[]);
    let mut deliveries: DeliveryParams = fields.take_without(&["from", "to"]);
    let mut options: RunOptions = fields.take();
    let FormOnly { url, until } = fields.take();
    fields.finish_form()?;
    options.to =
        options.to.map(|As(Place(to))| As(Place(if to == "url" { url.trim().to_owned() } else { to })));
    deliveries.to = until;
    Ok(RunRequest { deliveries, options })
}

/// The form, and the runs there were.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let before = older(&request);
    let form = Form::of(&state, request.query_string().as_bytes());
    shown(&state, StatusCode::OK, form, None, None, before).await
}

/// Where an older page begins.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Older {
    before: Option<As<ReplayId>>,
}

impl Members for Older {}

fn older(request: &HttpRequest) -> Option<ReplayId> {
    let Older { before } = Fields::of_query(request.query_string(), Blank::Absent).take();
    before.map(|As(id)| id)
}

async fn shown(
    state: &InspectorState,
    status: StatusCode,
    form: Form,
    fault: Option<String>,
    planned: Option<Planned>,
    before: Option<ReplayId>,
) -> HttpResponse {
    let mut runs = match state.store.runs(before, ROWS.saturating_add(1)).await {
        Ok(runs) => runs,
        Err(fault) => return page::store_fault(state, &fault),
    };
    let has_older = runs.len() > ROWS;
    runs.truncate(ROWS);
    let page = ListPage {
        frame: Frame::of(state, "deliveries"),
        form,
        fault,
        plan: planned.map(|planned| plan_view(state, &planned)),
        older: runs.last().filter(|_| has_older).map(|run| run.id.to_string()),
        runs: runs.iter().map(|run| run_view(state, run)).collect(),
    };
    page::html(status, &page)
}

/// Shows what the form would send, or, where that was seen, sends it and leads to its page.
pub async fn start(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    let bytes = match json_body::bytes(payload).await {
        Ok(bytes) => bytes,
        Err(problem) => return refused(&state, &problem),
    };
    let form = Form::of(&state, &bytes);
    let planned = match request(&bytes) {
        Ok(request) => plan(&state, request).await,
        Err(problem) => Err(problem),
    };
    let wrong = match planned {
        Ok(planned) if form.is("do", "send") => match begin(&state, planned).await {
            Ok(id) => return see(&id.to_string()),
            Err(wrong) => wrong,
        },
        Ok(planned) => return shown(&state, StatusCode::OK, form, None, Some(planned), None).await,
        Err(wrong) => wrong,
    };
    shown(&state, wrong.status(), form, Some(wrong.sentences()), None, None).await
}

/// A run and the results of its deliveries, the newest first.
pub async fn one(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let before = older(&request);
    let run = match found(&state, &id).await {
        Ok(run) => run,
        Err(problem) => return refused(&state, &problem),
    };
    let mut replays = match state.store.replays(Some(run.id), before, ROWS.saturating_add(1)).await {
        Ok(replays) => replays,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let has_older = replays.len() > ROWS;
    replays.truncate(ROWS);
    let now = state.clock.wall();
    let older = replays.last().filter(|_| has_older).map(|replay| replay.id.to_string());
    let replays: Vec<_> = replays
        .iter()
        .map(|replay| {
            let original = replay.original;
            (original.to_string(), When::clock(original.made_at(), now), view(&state, replay))
        })
        .collect();
    let page = RunPage {
        frame: Frame::of(&state, "deliveries"),
        run: run_view(&state, &run),
        older,
        has_answers: replays.iter().any(|(_, _, replay)| !replay.answer.is_empty()),
        replays,
    };
    page::html(StatusCode::OK, &page)
}

/// Stops a run.
pub async fn stop(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    turn(&id, &state, RunState::Stopped).await
}

/// Continues a stopped run.
pub async fn resume(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    turn(&id, &state, RunState::Running).await
}

async fn turn(id: &str, state: &InspectorState, to: RunState) -> HttpResponse {
    match turned(state, id, to).await {
        Ok(run) => see(&run.id.to_string()),
        Err(problem) => refused(state, &problem),
    }
}

fn see(id: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, format!("/replays/{id}"))).finish()
}

fn refused(state: &InspectorState, problem: &Problem) -> HttpResponse {
    page::message(state, problem.status(), "This cannot be done", &problem.sentences())
}

fn plan_view(state: &InspectorState, Planned { run, plan }: &Planned) -> PlanView {
    let named = |id: Option<&crate::domain::DeliveryId>| {
        id.map(|id| (id.to_string(), When::clock(id.made_at(), state.clock.wall())))
    };
    PlanView {
        groups: plan
            .groups
            .iter()
            .take(LISTED)
            .map(|group| (plain(&group.event), plain(&group.source), group.verdict.as_str(), group.count))
            .collect(),
        more_groups: plan.groups.len().saturating_sub(LISTED),
        revived: if run.target == "receiver" { revived(state, &plan.groups) } else { None },
        count: run.total,
        has_more: plan.has_more,
        until: run.id.made_at().to_string(),
        first: named(plan.deliveries.first()),
        last: named(plan.deliveries.last()),
        lasts: plan.lasts(run.per_second).map(|lasts| {
            let secs = lasts.as_secs();
            match (secs / 3_600, secs / 60 % 60, secs % 60) {
                (0, 0, secs) => format!("{secs} s"),
                (0, minutes, secs) => format!("{minutes} min {secs} s"),
                (hours, minutes, _) => format!("{hours} h {minutes} min"),
            }
        }),
        run: run_view(state, run),
    }
}

/// How many were rejected and may be accepted this time, and which subscriptions would get their events.
fn revived(state: &InspectorState, groups: &[Group]) -> Option<(u32, Vec<String>)> {
    let rejected = || groups.iter().filter(|group| group.verdict == Verdict::Rejected);
    let count = rejected().map(|group| group.count).fold(0, u32::saturating_add);
    if count == 0 {
        return None;
    }
    let all = state.sender.subscriptions().all();
    let subscriptions = all.iter().filter(|active| {
        let takes = |group: &Group| {
            active.compiled.takes_source(&group.source) && active.compiled.takes_type(&group.event)
        };
        active.is_enabled() && rejected().any(takes)
    });
    Some((count, subscriptions.map(|active| plain(&active.compiled.subscription.name)).collect()))
}

fn run_view(state: &InspectorState, run: &ReplayRun) -> RunView {
    let rate = run.per_second.map_or("no rate limit".to_owned(), |rate| format!("at most {rate} per second"));
    let at_once = match run.concurrency {
        1 => "one at a time".to_owned(),
        many => format!("{many} in parallel"),
    };
    RunView {
        id: run.id.to_string(),
        started: When::relative(run.id.made_at(), state.clock.wall()),
        search: searched(&run.filter),
        filter: run.filter.clone(),
        to: target_words(state, &run.target),
        signature: signature_words(run.signature),
        order: order(run),
        pace: format!("{at_once}, {rate}"),
        stops_on_error: run.stops_on_error,
        state: run.state.as_str(),
        is_running: run.state == RunState::Running,
        can_resume: run.state == RunState::Stopped,
        why: run.why.as_deref().map(plain),
        total: run.total,
        done: run.done,
        sent: run.done.saturating_sub(run.failed).saturating_sub(run.gone),
        failed: run.failed,
        gone: run.gone,
    }
}

/// What chose the deliveries of a run, for people.
fn searched(filter: &str) -> String {
    let ids = form_urlencoded::parse(filter.as_bytes()).find(|(name, _)| name == "ids");
    let selected = match ids.map(|(_, ids)| selected(&ids)) {
        None => String::new(),
        Some(1) => "1 selected delivery".to_owned(),
        Some(many) => format!("{many} selected deliveries"),
    };
    // The filter contains the time of the plan, which is not part of the search.
    let pairs = form_urlencoded::parse(filter.as_bytes()).filter(|(name, _)| name != "to");
    let search = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{selected} {}", from_parameters(&search)).trim().to_owned()
}

/// How many ids a list of them has.
fn selected(ids: &str) -> usize {
    ids.split(',').filter(|id| !id.is_empty()).count()
}
