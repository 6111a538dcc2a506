//! `GET drift`: the structure of payloads, and findings about it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use crate::domain::JsonKind;
use crate::http::inspector::InspectorState;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::Problem;
use crate::inspect::drift::{FieldReport, Finding, ONE_IN, Report, ReportQuery, reports, whole};
use crate::store::DriftType;

/// The default and the maximum number of rows in a list.
const LIMITS: (usize, usize) = (20, 100);

/// The event types, newest first. Fields are included if one event type is requested.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let limit = params
        .parsed("limit", "a number from 1 to 100", |text| {
            text.parse::<usize>().ok().filter(|limit| (1..=LIMITS.1).contains(limit))
        })
        .unwrap_or(LIMITS.0);
    let query = ReportQuery {
        source: params.text("source"),
        event_type: params.text("event_type"),
        before: params.parsed("before", "the next of an earlier response", |text| text.parse().ok()),
    };
    if let Err(faults) = params.finish(&["source", "event_type", "limit", "before"]) {
        return Problem::bad_parameters(faults).response();
    }
    let with_fields = query.event_type.is_some();
    match reports(&state.store, &state.catalog, &query, limit).await {
        Err(fault) => Problem::store_fault(&fault).response(),
        Ok((found, has_more)) => {
            let next = found.last().filter(|_| has_more).map(|(known, _)| known.id.to_string());
            let drift: Vec<Value> = found
                .iter()
                .map(|(known, report)| {
                    let is_in_catalogue = state.catalog.get(&known.event_type).is_some();
                    object_of(known, report, is_in_catalogue, with_fields)
                })
                .collect();
            HttpResponse::Ok().json(json!({"drift": drift, "next": next}))
        }
    }
}

fn object_of(known: &DriftType, report: &Report, is_in_catalogue: bool, with_fields: bool) -> Value {
    let mut object = json!({
        "id": known.id.to_string(),
        "source": known.source,
        "event_type": known.event_type,
        "in_catalogue": is_in_catalogue,
        "deliveries": known.deliveries,
        "refused": known.refused,
        "samples": known.samples,
        "sampling": {"whole": whole(known.fields), "then_one_in": ONE_IN},
        "first_seen": known.first_seen.to_string(),
        "first_delivery_id": known.first_in.to_string(),
        "last_seen": known.last_seen.to_string(),
        "field_count": known.fields,
        "is_cut": known.is_cut,
        "findings": report.findings.iter().map(finding_object).collect::<Vec<_>>(),
    });
    if let Some(members) = object.as_object_mut().filter(|_| with_fields) {
        members.insert("fields".to_owned(), report.fields.iter().map(field_object).collect());
    }
    object
}

fn finding_object(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind.as_str(),
        "pointer": finding.pointer,
        "sentence": finding.sentence,
        "since": finding.since.map(|since| since.to_string()),
        "delivery_id": finding.delivery.map(|id| id.to_string()),
    })
}

fn field_object(report: &FieldReport) -> Value {
    let field = &report.field;
    let types: Map<String, Value> = field
        .kinds
        .iter()
        .map(|kind: JsonKind| (kind.as_str().to_owned(), field.seen_as(kind).into()))
        .collect();
    json!({
        "pointer": field.pointer,
        "types": types,
        "seen": field.seen(),
        "per_mille": report.per_mille(),
        "declared": report.declared.map(|kinds| kinds.iter().map(JsonKind::as_str).collect::<Vec<_>>()),
        "required": report.is_required,
        "first_seen": field.first_seen.to_string(),
        "first_delivery_id": field.first_in.to_string(),
        "first_sample": field.first_sample,
        "last_seen": field.last_seen.to_string(),
    })
}
