//! `GET overview`: what came in over the last hour, day or week, and what needs attention first.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::params::{Blank, Params};
use super::sending::figures::together;
use super::sending::health::endpoints;
use super::sending::{answer, parked};
use crate::domain::Verdict;
use crate::http::inspector::InspectorState;
use crate::http::problem::Problem;
use crate::inspect::ack::ack_times;
use crate::inspect::overview::{Attention, Beside, Overview, Range, attention};
use crate::telemetry::Counted;

/// How long a fault in the program, or a request without a delivery, needs attention.
const RECENT: Duration = Duration::from_secs(24 * 3600);
/// The states of an endpoint that nobody need look at.
const WELL: [&str; 2] = ["healthy", "unknown"];

/// What came in.
pub async fn show(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let range = params.parsed("range", "one of 1h, 24h, 7d", Range::from_word).unwrap_or(Range::Day);
    if let Err(faults) = params.finish(&["range"]) {
        return Problem::bad_parameters(faults).response();
    }
    answer(found(&state, range).await.map(|(overview, beside, told)| {
        HttpResponse::Ok().json(object(range, &overview, &beside, &attention_objects(&state, &told)))
    }))
}

/// The overview, what is known beside it, and what needs attention.
///
/// # Errors
/// 503 where the store cannot be read.
pub async fn found(
    state: &InspectorState,
    range: Range,
) -> Result<(Overview, Beside, Vec<Attention>), Problem> {
    let fault = |fault| Problem::store_fault(&fault);
    let overview = Overview::of(&state.store, range, state.clock.wall()).await.map_err(fault)?;
    let figures = state.store.sender_figures().await.map_err(fault)?;
    let unwell =
        endpoints(state).await?.into_iter().filter(|endpoint| !WELL.contains(&endpoint.status.as_str()));
    let beside = Beside {
        times: ack_times(&state.store, &state.sources.all()).await.map_err(fault)?,
        dead: together(&figures).dead,
        unwell: unwell.map(|endpoint| (endpoint.name, endpoint.status)).collect(),
        parked: parked(state)
            .await?
            .iter()
            .filter(|(_, figures)| figures.parked > 0)
            .map(|(parked, figures)| (parked.sentence(), figures.parked))
            .collect(),
        store: (state.store.size().used, state.max_size),
        panicked: state.metrics.workers().panicked_within(RECENT),
        refused: state.metrics.refusals().likely_within(RECENT, state.clock.wall()),
    };
    let told = attention(&overview, &beside);
    Ok((overview, beside, told))
}

fn verdicts(counts: &[u64; Verdict::ALL.len()]) -> Map<String, Value> {
    Verdict::ALL
        .iter()
        .zip(counts)
        .map(|(verdict, count)| (verdict.as_str().to_owned(), json!(count)))
        .collect()
}

fn ms(counted: &Counted, hundredths: u64) -> Option<f64> {
    counted.percentile(hundredths).map(|time| time.as_secs_f64() * 1_000.0)
}

fn attention_objects(state: &InspectorState, told: &[Attention]) -> Vec<Value> {
    let url = |one: &Attention| format!("{}{}", state.public_path(), one.url);
    told.iter().map(|one| json!({"sentence": one.sentence, "url": url(one)})).collect()
}

fn object(range: Range, overview: &Overview, beside: &Beside, attention: &[Value]) -> Value {
    let reasons = |all: &[(crate::domain::Reason, u64)]| -> Vec<Value> {
        all.iter().map(|(reason, count)| json!({"reason": reason.as_str(), "count": count})).collect()
    };
    let slots: Vec<Value> = overview
        .slots
        .iter()
        .map(|slot| {
            json!({"from": slot.from.to_string(), "verdicts": verdicts(&slot.verdicts),
                "p50_ms": ms(&slot.counted, 50), "p95_ms": ms(&slot.counted, 95)})
        })
        .collect();
    let sources: Vec<Value> = overview
        .sources
        .iter()
        .map(|source| {
            json!({"source": source.source, "deliveries": source.counted.count, "verdicts": verdicts(&source.verdicts),
                "reasons": reasons(&source.reasons), "last": source.last.to_string(),
                "p50_ms": ms(&source.counted, 50), "p95_ms": ms(&source.counted, 95)})
        })
        .collect();
    json!({
        "range": range.as_str(),
        "slot_s": overview.slot.as_secs(),
        "deliveries": overview.counted.count,
        "verdicts": verdicts(&overview.verdicts),
        "reasons": reasons(&overview.reasons),
        "p50_ms": ms(&overview.counted, 50),
        "p95_ms": ms(&overview.counted, 95),
        "slots": slots,
        "sources": sources,
        "dead_letters": beside.dead,
        "parked_messages": beside.parked.iter().map(|(_, messages)| messages).sum::<u64>(),
        "attention": attention,
    })
}
