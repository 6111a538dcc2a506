//! Replays of many deliveries.

use actix_web::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::replay::{Place, fault, refuse_disabled, target};
use crate::config;
use crate::domain::{DeliveryFilter, ReplayId, ReplayRun, ReplaySignature, RunState};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{
    As, AsWritten, DeliveryParams, Fields, Limit100k, Members, Parallel, Range, Readable, SignatureParam,
    Word, number_or_text, one_of,
};
use crate::http::inspector::state::InspectorState;
use crate::inspect::replay::{MOST, Plan, ReplayRuns, Turned};

/// `PerSecond` as a request writes it.
type PerSecondParam = As<PerSecond>;

/// `Order` as a request writes it.
type OrderParam = As<Order>;

/// Names that mean one thing inside `filter` and another outside it.
const IN_FILTER: [&str; 2] = ["from", "to"];

/// A replay of many deliveries: which ones, and how.
#[derive(Clone, Debug, Default)]
pub struct RunRequest {
    /// Which ones.
    pub deliveries: DeliveryParams,
    /// How.
    pub options: RunOptions,
}

/// How many deliveries are replayed.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct RunOptions {
    /// `receiver`, which is the default, an http or https URL, or the id of a subscription.
    #[schema(value_type = Option<String>)]
    pub to: Option<As<Place>>,
    /// What becomes of the signatures; `fresh` without a word.
    #[schema(inline)]
    pub signature: Option<SignatureParam>,
    /// Which one is sent first; `oldest` without a word.
    #[schema(inline)]
    pub order: Option<OrderParam>,
    /// The maximum rate per second: a number, or text such as `50/s` or `1000/min`.
    #[schema(inline)]
    pub rate: Option<PerSecondParam>,
    /// How many are sent at once; 1 without it.
    #[schema(inline)]
    pub concurrency: Option<Parallel>,
    /// The maximum number of deliveries.
    #[schema(inline)]
    pub limit: Option<Limit100k>,
    /// Whether the first failure stops the run.
    pub stop_on_error: Option<bool>,
    /// Whether to only say what would be done.
    pub dry_run: Option<bool>,
}

impl Members for RunOptions {}

/// Parameters of a list as an object, or a search as text.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct Selection {
    #[schema(value_type = Option<DeliveryParams>)]
    filter: Option<AsWritten>,
}

impl Members for Selection {}

impl Readable for RunRequest {
    fn read(fields: &mut Fields) -> Self {
        let Selection { filter } = fields.take();
        let deliveries = match filter {
            Some(AsWritten(text)) => fields.take_with(&text, Some("q"), &IN_FILTER),
            None => fields.take_without(&IN_FILTER),
        };
        Self { deliveries, options: fields.take() }
    }
}

/// Which delivery is sent first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The oldest.
    #[default]
    Oldest,
    /// The newest.
    Newest,
}

impl Word for Order {
    fn expected() -> String {
        "oldest or newest, which is sent first".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        match text {
            "oldest" => Ok(Self::Oldest),
            "newest" => Ok(Self::Newest),
            _ => Err(None),
        }
    }

    fn schema() -> RefOr<Schema> {
        one_of(&["oldest", "newest"])
    }
}

/// The maximum rate per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerSecond(pub f64);

impl Word for PerSecond {
    const IS_LOOSE: bool = true;

    fn expected() -> String {
        "a number of deliveries a second, or a rate as \"50/s\" or \"1000/min\"; more than 0".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        let text = text.trim();
        let rate = || config::rate(text).ok().map(|rate| rate.per_second());
        let found = text.parse().ok().or_else(rate);
        found.filter(|rate: &f64| rate.is_finite() && *rate >= 1e-5).map(Self).ok_or(None)
    }

    fn schema() -> RefOr<Schema> {
        number_or_text()
    }
}

/// What a run will do.
pub struct Planned {
    /// The run, not started.
    pub run: ReplayRun,
    /// Its deliveries.
    pub plan: Plan,
}

/// Finds the requested deliveries.
///
/// # Errors
/// 400 if it cannot be done, 409 for a disabled subscription, 503 if the store cannot be read.
pub async fn plan(state: &InspectorState, asked: RunRequest) -> Result<Planned, Problem> {
    let RunRequest { deliveries, options } = asked;
    let target = target(state, options.to.as_ref()).map_err(|why| Problem::bad_body(vec![why]))?;
    refuse_disabled(state, &target)?;
    let is_newest_first = options.order == Some(As(Order::Newest));
    let filter = deliveries.to_query();
    let most = options.limit.map_or(MOST, Range::size);
    let plan = Plan::of(&state.store, &DeliveryFilter::from(deliveries), most, is_newest_first).await?;
    if plan.has_more && options.limit.is_none() {
        let why = format!("finds more than {MOST} deliveries; narrow it, or say a limit");
        return Err(Problem::bad_body(vec![fault("/filter", why)]));
    }
    let run = ReplayRun {
        id: ReplayId::new_at(state.clock.wall()),
        filter,
        target: target.to_string(),
        signature: options.signature.map_or(ReplaySignature::Fresh, |As(signature)| signature),
        is_newest_first,
        per_second: options.rate.map(|As(PerSecond(rate))| rate),
        concurrency: options.concurrency.and_then(|many| u32::try_from(many.0).ok()).unwrap_or(1),
        stops_on_error: options.stop_on_error.unwrap_or_default(),
        state: RunState::Running,
        why: None,
        total: u32::try_from(plan.deliveries.len()).unwrap_or(u32::MAX),
        done: 0,
        failed: 0,
        gone: 0,
    };
    Ok(Planned { run, plan })
}

/// Starts a planned run.
///
/// # Errors
/// 503 if it cannot be stored.
pub async fn begin(state: &InspectorState, planned: Planned) -> Result<ReplayId, Problem> {
    let runs = runs(state)?;
    let id = planned.run.id;
    let started = runs.start(planned.run, &planned.plan.deliveries).await;
    started.map_err(Problem::from).map(|()| id)
}

fn runs(state: &InspectorState) -> Result<&ReplayRuns, Problem> {
    state.replay_runs().map_err(|why| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why))
}

/// The run with this id.
///
/// # Errors
/// 404, 503.
pub async fn found(state: &InspectorState, id: &str) -> Result<ReplayRun, Problem> {
    let missing = || Problem::not_found("There is no run of that id; the last 200 are kept.");
    let id: ReplayId = id.parse().map_err(|_| missing())?;
    let found = state.store.run(id).await?;
    found.ok_or_else(missing)
}

/// Stops or resumes a run.
///
/// # Errors
/// 404; 409 if its state does not allow it; 503.
pub async fn turned(state: &InspectorState, id: &str, to: RunState) -> Result<ReplayRun, Problem> {
    let run = found(state, id).await?;
    let runs = runs(state)?;
    let turned = match to {
        RunState::Running => runs.resume(run.id).await,
        _ => runs.stop(run.id).await.map(|is_so| if is_so { Turned::Done } else { Turned::NotSo }),
    };
    let conflict = |why: String| Err(Problem::new(StatusCode::CONFLICT, why));
    match turned? {
        Turned::Done => found(state, id).await,
        Turned::NotYet => {
            conflict("What was under way is not answered yet; try again in a minute.".to_owned())
        }
        Turned::NotSo => {
            let state = found(state, id).await?.state.as_str();
            conflict(format!("The run is {state}."))
        }
    }
}

/// The order, as one word.
pub const fn order(run: &ReplayRun) -> &'static str {
    if run.is_newest_first { "newest" } else { "oldest" }
}
