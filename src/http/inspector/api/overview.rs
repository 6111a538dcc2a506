//! `GET overview`: the deliveries of the last hour, day or week, and what needs attention.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use crate::domain::Verdict;
use crate::http::inspector::InspectorState;
use crate::http::inspector::operations::overview::found;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{Problem, answer};
use crate::inspect::overview::{Attention, Beside, Overview, Range};
use crate::telemetry::Counted;

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
