//! `GET overview`: the deliveries of the last hour, day or week, and what needs attention.

use std::collections::BTreeMap;

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::openapi::Done;
use crate::domain::{Reason, Verdict};
use crate::http::inspector::answer::{ReasonWord, Time};
use crate::http::inspector::operations::overview::found;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Members, Query};
use crate::http::inspector::state::InspectorState;
use crate::inspect::overview::{Attention, Beside, Overview, Range};
use crate::telemetry::Counted;

/// `Range` as a request writes it.
type RangeParam = As<Range>;

/// Which time.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct OverviewParams {
    /// How long back; `24h` without it.
    #[param(inline)]
    range: Option<RangeParam>,
}

impl Members for OverviewParams {}

/// The deliveries of a time, and what needs attention.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewObject {
    range: &'static str,
    /// The length of a slot, in seconds.
    slot_s: u64,
    deliveries: u64,
    verdicts: Verdicts,
    reasons: Vec<ReasonCount>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    slots: Vec<Slot>,
    sources: Vec<SourceSum>,
    dead_letters: u64,
    parked_messages: u64,
    /// What needs attention, the gravest first. It always covers the last day.
    attention: Vec<AttentionObject>,
}

/// How many deliveries of each verdict.
type Verdicts = BTreeMap<&'static str, u64>;

/// How many deliveries were rejected for a reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonCount {
    reason: ReasonWord,
    count: u64,
}

/// A part of the time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Slot {
    from: Time,
    verdicts: Verdicts,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
}

/// The deliveries of a source.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceSum {
    source: String,
    deliveries: u64,
    verdicts: Verdicts,
    reasons: Vec<ReasonCount>,
    last: Time,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
}

/// Something that needs attention.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttentionObject {
    topic: &'static str,
    /// Whether data is lost while nobody acts.
    grave: bool,
    sentence: String,
    since: Option<Time>,
    /// What to do.
    action: &'static str,
    /// The page where that is done.
    url: String,
}

/// The deliveries.
pub async fn show(
    Query(params): Query<OverviewParams>,
    state: web::Data<InspectorState>,
) -> Result<Done<OverviewObject>, Problem> {
    let range = params.range.map_or(Range::Day, |As(range)| range);
    let (overview, beside, told) = found(&state, range).await?;
    Ok(Done(object(range, &overview, &beside, attention(&state, &told))))
}

fn verdicts(counts: &[u64; Verdict::ALL.len()]) -> Verdicts {
    Verdict::ALL.iter().zip(counts).map(|(verdict, count)| (verdict.as_str(), *count)).collect()
}

fn reasons(all: &[(Reason, u64)]) -> Vec<ReasonCount> {
    all.iter().map(|(reason, count)| ReasonCount { reason: ReasonWord(*reason), count: *count }).collect()
}

fn ms(counted: &Counted, hundredths: u64) -> Option<f64> {
    counted.percentile(hundredths).map(|time| time.as_secs_f64() * 1_000.0)
}

fn attention(state: &InspectorState, told: &[Attention]) -> Vec<AttentionObject> {
    let object = |one: &Attention| AttentionObject {
        topic: one.topic.as_str(),
        grave: one.topic.is_grave(),
        sentence: one.sentence.clone(),
        since: one.since.map(Time),
        action: one.topic.action(),
        url: format!("{}{}", state.public_path(), one.url),
    };
    told.iter().map(object).collect()
}

fn object(
    range: Range,
    overview: &Overview,
    beside: &Beside,
    attention: Vec<AttentionObject>,
) -> OverviewObject {
    let slots = overview.slots.iter().map(|slot| Slot {
        from: slot.from.into(),
        verdicts: verdicts(&slot.verdicts),
        p50_ms: ms(&slot.counted, 50),
        p95_ms: ms(&slot.counted, 95),
    });
    let sources = overview.sources.iter().map(|source| SourceSum {
        source: source.source.clone(),
        deliveries: source.counted.count,
        verdicts: verdicts(&source.verdicts),
        reasons: reasons(&source.reasons),
        last: source.last.into(),
        p50_ms: ms(&source.counted, 50),
        p95_ms: ms(&source.counted, 95),
    });
    OverviewObject {
        range: range.as_str(),
        slot_s: overview.slot.as_secs(),
        deliveries: overview.counted.count,
        verdicts: verdicts(&overview.verdicts),
        reasons: reasons(&overview.reasons),
        p50_ms: ms(&overview.counted, 50),
        p95_ms: ms(&overview.counted, 95),
        slots: slots.collect(),
        sources: sources.collect(),
        dead_letters: beside.dead,
        parked_messages: beside.parked.iter().map(|(_, messages)| messages).sum::<u64>(),
        attention,
    }
}
