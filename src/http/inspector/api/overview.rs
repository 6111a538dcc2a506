//! `GET overview`: the deliveries of the last hour, day or week, and what needs attention.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::sending::figures::together;
use super::sending::health::{Health, endpoints};
use super::sending::parked;
use crate::domain::{Timestamp, Verdict};
use crate::http::inspector::InspectorState;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{Problem, answer};
use crate::inspect::ack::ack_times;
use crate::inspect::overview::{Attention, Beside, Overview, Range, TroubledDevices, Unwell, attention};
use crate::telemetry::Counted;

/// How long a fault in the program or a request without a delivery is reported.
const RECENT: Duration = Duration::from_secs(24 * 3600);
/// The states of an endpoint that need no attention.
const WELL: [&str; 2] = ["healthy", "unknown"];

/// The deliveries.
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

/// The overview, other facts, and what needs attention, which always covers the last day.
///
/// # Errors
/// 503 if the store cannot be read.
pub async fn found(
    state: &InspectorState,
    range: Range,
) -> Result<(Overview, Beside, Vec<Attention>), Problem> {
    let fault = |fault| Problem::store_fault(&fault);
    let now = state.clock.wall();
    let overview = Overview::of(&state.store, range, now).await.map_err(fault)?;
    let beside = beside(state, now).await?;
    let told = match range {
        Range::Day => attention(&overview, &beside),
        _ => attention(&Overview::of(&state.store, Range::Day, now).await.map_err(fault)?, &beside),
    };
    Ok((overview, beside, told))
}

async fn beside(state: &InspectorState, now: Timestamp) -> Result<Beside, Problem> {
    let fault = |fault| Problem::store_fault(&fault);
    let mut figures = state.store.sender_figures().await.map_err(fault)?;
    figures.sort_by_key(|own| std::cmp::Reverse(own.dead));
    let name = |id: &str| {
        let known = state.sender.subscriptions().all();
        let known = known.iter().find(|active| active.compiled.id() == id);
        known.map_or_else(|| id.to_owned(), |active| active.compiled.subscription.name.clone())
    };
    let unwell =
        endpoints(state).await?.into_iter().filter(|endpoint| !WELL.contains(&endpoint.status.as_str()));
    Ok(Beside {
        now,
        failed_reload: state.failed_reload().map(|failed| (failed.when, failed.faults)),
        times: ack_times(&state.store, &state.sources.all()).await.map_err(fault)?,
        dead: together(&figures).dead,
        dead_of: figures.iter().filter(|own| own.dead > 0).map(|own| name(&own.subscription)).collect(),
        dead_since: state.store.oldest_dead_letter().await.map_err(fault)?,
        unwell: unwell.map(unwell_since).collect(),
        parked: parked(state)
            .await?
            .iter()
            .filter(|(_, figures)| figures.parked > 0)
            .map(|(parked, figures)| (parked.sentence(), figures.parked))
            .collect(),
        store: (state.store.size().used, state.max_size),
        panicked: state.metrics.workers().panicked_within(RECENT),
        refused: state.metrics.refusals().likely_within(RECENT, now),
        devices: TroubledDevices::of(&state.store, now).await.map_err(fault)?,
    })
}

/// An unhealthy endpoint, and the time since when its checks have failed.
fn unwell_since(endpoint: Health) -> Unwell {
    let bad = endpoint.history.iter().take_while(|look| !WELL.contains(&look.status.as_str()));
    let since = bad.last().map(|look| look.checked_at.as_str()).or(endpoint.last_failure_at.as_deref());
    let since = since.and_then(Timestamp::parse_rfc3339);
    Unwell { name: endpoint.name, state: endpoint.status, since }
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
    let object = |one: &Attention| {
        json!({"topic": one.topic.as_str(), "grave": one.topic.is_grave(), "sentence": one.sentence,
            "since": one.since.map(|since| since.to_string()), "action": one.topic.action(), "url": url(one)})
    };
    told.iter().map(object).collect()
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
