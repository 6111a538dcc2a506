//! `GET drift`: the structure of payloads, and findings about it.

use std::collections::BTreeMap;

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::JsonKind;
use crate::http::inspector::answer::Time;
use crate::http::inspector::api::openapi::Done;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Cursor, CursorParam, Limit100, Members, Query, Range};
use crate::http::inspector::state::InspectorState;
use crate::inspect::drift::{FieldReport, Finding, ONE_IN, Report, ReportQuery, reports, whole};
use crate::store::DriftType;

/// The default number of rows in a list.
const ROWS: usize = 20;

/// Which event types.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct DriftParams {
    /// The source.
    source: Option<String>,
    /// The event type; its fields are then listed too.
    event_type: Option<String>,
    /// The maximum number of rows; 20 without it.
    #[param(inline)]
    limit: Option<Limit100>,
    /// The `next` of an earlier response.
    #[param(inline)]
    before: Option<CursorParam>,
}

impl Members for DriftParams {}

/// Event types and what is odd about their payloads.
#[derive(Debug, Serialize, ToSchema)]
pub struct DriftList {
    drift: Vec<DriftObject>,
    next: Option<String>,
}

/// An event type.
#[derive(Debug, Serialize, ToSchema)]
pub struct DriftObject {
    id: String,
    source: String,
    event_type: String,
    /// Whether the catalogue has it.
    in_catalogue: bool,
    deliveries: u64,
    refused: u64,
    /// How many payloads were read.
    samples: u64,
    sampling: Sampling,
    first_seen: Time,
    first_delivery_id: String,
    last_seen: Time,
    field_count: u64,
    /// Whether it has more fields than are learnt.
    is_cut: bool,
    findings: Vec<FindingObject>,
    /// With `event_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fields: Option<Vec<FieldObject>>,
}

/// How many payloads are read: the first ones, then some.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sampling {
    whole: u64,
    then_one_in: u64,
}

/// Something odd.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingObject {
    kind: &'static str,
    pointer: String,
    sentence: String,
    since: Option<Time>,
    delivery_id: Option<String>,
}

/// A field of payloads.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldObject {
    pointer: String,
    /// How often it had which type.
    types: BTreeMap<&'static str, u64>,
    seen: u64,
    /// In how many of its places it was, in thousandths.
    per_mille: u64,
    /// The types of the catalogue.
    declared: Option<Vec<&'static str>>,
    required: bool,
    first_seen: Time,
    first_delivery_id: String,
    first_sample: u64,
    last_seen: Time,
}

/// The event types, newest first. Fields are included if one event type is requested.
pub async fn list(
    Query(params): Query<DriftParams>,
    state: web::Data<InspectorState>,
) -> Result<Done<DriftList>, Problem> {
    let limit = params.limit.map_or(ROWS, Range::size);
    let before = params.before.map(|As(Cursor(before))| before);
    let query = ReportQuery { source: params.source, event_type: params.event_type, before };
    let with_fields = query.event_type.is_some();
    let (found, has_more) = reports(&state.store, &state.catalog, &query, limit).await?;
    let next = found.last().filter(|_| has_more).map(|(known, _)| known.id.to_string());
    let drift = found.iter().map(|(known, report)| {
        let is_in_catalogue = state.catalog.get(&known.event_type).is_some();
        object(known, report, is_in_catalogue, with_fields)
    });
    Ok(Done(DriftList { drift: drift.collect(), next }))
}

fn object(known: &DriftType, report: &Report, is_in_catalogue: bool, with_fields: bool) -> DriftObject {
    DriftObject {
        id: known.id.to_string(),
        source: known.source.clone(),
        event_type: known.event_type.clone(),
        in_catalogue: is_in_catalogue,
        deliveries: known.deliveries,
        refused: known.refused,
        samples: known.samples,
        sampling: Sampling { whole: whole(known.fields), then_one_in: ONE_IN },
        first_seen: known.first_seen.into(),
        first_delivery_id: known.first_in.to_string(),
        last_seen: known.last_seen.into(),
        field_count: known.fields,
        is_cut: known.is_cut,
        findings: report.findings.iter().map(finding).collect(),
        fields: with_fields.then(|| report.fields.iter().map(field).collect()),
    }
}

fn finding(finding: &Finding) -> FindingObject {
    FindingObject {
        kind: finding.kind.as_str(),
        pointer: finding.pointer.clone(),
        sentence: finding.sentence.clone(),
        since: finding.since.map(Time),
        delivery_id: finding.delivery.map(|id| id.to_string()),
    }
}

fn field(report: &FieldReport) -> FieldObject {
    let field = &report.field;
    FieldObject {
        pointer: field.pointer.clone(),
        types: field.kinds.iter().map(|kind: JsonKind| (kind.as_str(), field.seen_as(kind))).collect(),
        seen: field.seen(),
        per_mille: report.per_mille(),
        declared: report.declared.map(|kinds| kinds.iter().map(JsonKind::as_str).collect()),
        required: report.is_required,
        first_seen: field.first_seen.into(),
        first_delivery_id: field.first_in.to_string(),
        first_sample: field.first_sample,
        last_seen: field.last_seen.into(),
    }
}
