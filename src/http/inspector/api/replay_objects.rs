//! Replays and their runs as the API shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Replay, ReplayRun};
use crate::http::inspector::answer::{RunWord, SignatureWord, Time, VerdictWord};
use crate::http::inspector::operations::replay_runs::{Planned, order};
use crate::inspect::replay::Group;
use crate::send::redacted_url;

/// The maximum number of ids in a plan.
const NAMED: usize = 100;

/// A replay.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayObject {
    id: String,
    replay_id: String,
    /// The delivery that was replayed.
    original: String,
    /// Where it went, secrets masked.
    to: String,
    signature: SignatureWord,
    /// Whether the request was changed.
    edited: bool,
    /// The run that it belongs to.
    run: Option<String>,
    /// Its result at our own receiver.
    delivery_id: Option<String>,
    /// Its result at a subscription.
    message_id: Option<String>,
    /// The status of the response.
    status: Option<u16>,
    /// Why there was no response.
    error: Option<String>,
    /// The start of the response, where it is UTF-8.
    answer: Option<String>,
    /// The same, where it is not.
    answer_base64: Option<String>,
}

impl From<&Replay> for ReplayObject {
    fn from(replay: &Replay) -> Self {
        let answer = std::str::from_utf8(&replay.answer).ok();
        Self {
            id: replay.id.to_string(),
            replay_id: replay.id.to_string(),
            original: replay.original.to_string(),
            to: redacted_url(&replay.target),
            signature: replay.signature.into(),
            edited: replay.is_edited,
            run: replay.run.map(|run| run.to_string()),
            delivery_id: replay.delivery.map(|id| id.to_string()),
            message_id: replay.message.map(|id| id.to_string()),
            status: replay.status,
            error: replay.error.clone(),
            answer: answer.map(str::to_owned),
            answer_base64: answer.is_none().then(|| STANDARD.encode(&replay.answer)),
        }
    }
}

/// A replay, just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewReplay {
    #[serde(flatten)]
    pub replay: ReplayObject,
    /// Parameters of the query that were not sent, since they hold credentials.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub query_left_out: Vec<String>,
}

/// What a run does, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanObject {
    dry_run: bool,
    /// The id of the run; null if nothing was started.
    id: Option<String>,
    run_id: Option<String>,
    /// How many deliveries.
    count: u32,
    /// Whether more were found than `limit`.
    has_more: bool,
    first: Option<String>,
    last: Option<String>,
    /// The first 100 of them.
    delivery_ids: Vec<String>,
    groups: Vec<GroupObject>,
    to: String,
    signature: SignatureWord,
    /// `oldest` or `newest`: which one is sent first.
    order: &'static str,
    rate: Option<f64>,
    concurrency: u32,
    stop_on_error: bool,
    /// How long it takes at least, by `rate`.
    seconds: Option<f64>,
}

/// Deliveries of a run that are alike.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupObject {
    source: String,
    event_type: Option<String>,
    verdict: VerdictWord,
    count: u32,
}

impl PlanObject {
    /// A plan.
    pub fn of(Planned { run, plan }: &Planned, is_dry: bool) -> Self {
        let id = |at: Option<&crate::domain::DeliveryId>| at.map(ToString::to_string);
        let group = |group: &Group| GroupObject {
            source: group.source.clone(),
            event_type: Some(group.event.clone()).filter(|event| !event.is_empty()),
            verdict: group.verdict.into(),
            count: group.count,
        };
        Self {
            dry_run: is_dry,
            id: (!is_dry).then(|| run.id.to_string()),
            run_id: (!is_dry).then(|| run.id.to_string()),
            count: run.total,
            has_more: plan.has_more,
            first: id(plan.deliveries.first()),
            last: id(plan.deliveries.last()),
            delivery_ids: plan.deliveries.iter().take(NAMED).map(ToString::to_string).collect(),
            groups: plan.groups.iter().map(group).collect(),
            to: redacted_url(&run.target),
            signature: run.signature.into(),
            order: order(run),
            rate: run.per_second,
            concurrency: run.concurrency,
            stop_on_error: run.stops_on_error,
            seconds: plan.lasts(run.per_second).map(|lasts| lasts.as_secs_f64()),
        }
    }
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunObject {
    id: String,
    run_id: String,
    started_at: Time,
    /// Which deliveries, as the parameters of a list.
    filter: String,
    to: String,
    signature: SignatureWord,
    /// `oldest` or `newest`: which one is sent first.
    order: &'static str,
    rate: Option<f64>,
    concurrency: u32,
    stop_on_error: bool,
    state: RunWord,
    /// Why it stopped.
    why: Option<String>,
    total: u32,
    done: u32,
    sent: u32,
    failed: u32,
    /// How many were no longer stored.
    gone: u32,
}

impl From<&ReplayRun> for RunObject {
    fn from(run: &ReplayRun) -> Self {
        Self {
            id: run.id.to_string(),
            run_id: run.id.to_string(),
            started_at: run.id.made_at().into(),
            filter: run.filter.clone(),
            to: redacted_url(&run.target),
            signature: run.signature.into(),
            order: order(run),
            rate: run.per_second,
            concurrency: run.concurrency,
            stop_on_error: run.stops_on_error,
            state: run.state.into(),
            why: run.why.clone(),
            total: run.total,
            done: run.done,
            sent: run.done.saturating_sub(run.failed).saturating_sub(run.gone),
            failed: run.failed,
            gone: run.gone,
        }
    }
}
