//! `/drift`: how payloads differ from the catalogue and from before, findings first; and the section on an event type's page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::{JsonKind, Timestamp, percent, plain};
use crate::http::inspector::InspectorState;
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::words::shown_time;
use crate::inspect::drift::{FieldReport, Finding, FindingKind, ONE_IN, Report, ReportQuery, reports, whole};
use crate::store::{DriftType, StoreError};

/// Event types of which everything is shown.
const ROWS: usize = 25;
/// Event types that are looked at: all that are learnt.
const ALL: usize = 500;
/// Findings that are shown of each event type of a list.
const FINDINGS: usize = 6;

/// Something odd about a field.
pub struct FindingView {
    /// Its kind, in words.
    pub word: &'static str,
    /// Its kind, as a class.
    pub class: &'static str,
    /// The field.
    pub pointer: String,
    /// What it is.
    pub sentence: String,
    /// Since when; empty where that is not known.
    pub since: String,
    /// The delivery that shows it.
    pub delivery: Option<String>,
}

/// A field of the table.
pub struct FieldView {
    pub pointer: String,
    pub types: String,
    pub share: String,
    pub declared: String,
    pub is_required: bool,
    pub first_seen: String,
    pub first_in: String,
    pub first_sample: u64,
}

/// An event type.
pub struct TypeView {
    pub source: String,
    pub event_type: String,
    pub is_known: bool,
    pub url: String,
    pub deliveries_url: String,
    pub rejected_url: String,
    pub refused: u64,
    pub deliveries: u64,
    pub sampling: String,
    pub field_count: u64,
    pub is_cut: bool,
    pub first_seen: String,
    pub first_in: String,
    pub last_seen: String,
    pub last_seen_at: String,
    pub findings: Vec<FindingView>,
    /// Findings that are not shown.
    pub more: usize,
    /// Fields that the catalogue does not name.
    pub undeclared: usize,
    pub fields: Vec<FieldView>,
}

#[derive(Template)]
#[template(path = "lens/drift.html")]
struct DriftPage {
    frame: Frame,
    /// Those with findings, the gravest first; of one event type, all.
    types: Vec<TypeView>,
    /// Event types without findings, and those that do not fit above.
    others: Vec<TypeView>,
    sources: Vec<String>,
    source: String,
    event_type: String,
    is_one: bool,
    left_out: u64,
}

impl DriftPage {
    /// What may be said where nothing drifts: no more than the catalogue could be asked.
    fn calm(&self) -> String {
        let count = |of: fn(&TypeView) -> bool| self.others.iter().filter(|known| of(known)).count();
        let unknown = count(|known| !known.is_known);
        let undeclared = count(|known| known.is_known && known.undeclared > 0);
        let mut said = "No drift: payloads are as before".to_owned();
        if unknown < self.others.len() {
            said.push_str(", and as the catalogue says");
        }
        said.push('.');
        for (count, what) in [
            (unknown, "not in the catalogue"),
            (undeclared, "sent with fields that the catalogue does not name"),
        ] {
            if count > 0 {
                let types = if count == 1 {
                    "1 event type is".to_owned()
                } else {
                    format!("{count} event types are")
                };
                said.push_str(&format!(" {types} {what}."));
            }
        }
        said
    }
}

/// The page.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let fields: Vec<(String, String)> = form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let query = ReportQuery { source: field("source"), event_type: field("event_type"), before: None };
    let is_one = query.event_type.is_some();
    let read = async {
        let (found, _) = reports(&state.store, &state.catalog, &query, ALL).await?;
        Ok::<_, StoreError>((found, state.store.learner_state().await?))
    };
    let (found, lens) = match read.await {
        Ok(read) => read,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let mut types: Vec<TypeView> =
        found.iter().map(|(known, report)| TypeView::of(&state, known, report, is_one)).collect();
    let mut others = Vec::new();
    if !is_one {
        // The order of the findings is that of how grave they are.
        let rank = |(_, report): &&(DriftType, Report)| report.drift().map(|finding| finding.kind).min();
        let ranks: Vec<Option<FindingKind>> = found.iter().map(|one| rank(&one)).collect();
        let mut ranked: Vec<(u8, Option<FindingKind>, TypeView)> =
            ranks.into_iter().zip(types).map(|(rank, view)| (u8::from(rank.is_none()), rank, view)).collect();
        ranked.sort_by_key(|(is_last, rank, _)| (*is_last, *rank));
        types = ranked.into_iter().map(|(_, _, view)| view).collect();
        (types, others) = types.into_iter().partition(TypeView::has_findings);
        let surplus = types.split_off(types.len().min(ROWS));
        others = surplus.into_iter().chain(others).collect();
    }
    let page = DriftPage {
        frame: Frame::of(&state, "drift"),
        types,
        others,
        sources: state.source_names(),
        source: query.source.unwrap_or_default(),
        event_type: query.event_type.unwrap_or_default(),
        is_one,
        left_out: lens.left_out,
    };
    page::html(StatusCode::OK, &page)
}

/// What was learnt of an event type, for its own page: a view for each source.
///
/// # Errors
/// When the store cannot be read.
pub async fn of_event_type(state: &InspectorState, name: &str) -> Result<Vec<TypeView>, StoreError> {
    let query = ReportQuery { event_type: Some(name.to_owned()), ..ReportQuery::default() };
    let (found, _) = reports(&state.store, &state.catalog, &query, ROWS).await?;
    Ok(found.iter().map(|(known, report)| TypeView::of(state, known, report, false)).collect())
}

impl TypeView {
    /// Whether it needs attention: findings, or deliveries that failed the schema.
    fn has_findings(&self) -> bool {
        self.refused > 0 || !self.findings.is_empty()
    }

    fn of(state: &InspectorState, known: &DriftType, report: &Report, is_one: bool) -> Self {
        let query = |path: &str| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("source", &known.source).append_pair("event_type", &known.event_type);
            format!("{path}?{}", query.finish())
        };
        let told: Vec<&Finding> =
            if is_one { report.findings.iter().collect() } else { report.drift().collect() };
        let shown = if is_one { told.len() } else { FINDINGS };
        Self {
            source: plain(&known.source),
            event_type: plain(&known.event_type),
            is_known: state.catalog.get(&known.event_type).is_some(),
            url: query("/drift"),
            deliveries_url: query("/"),
            rejected_url: format!("{}&verdict=rejected", query("/")),
            deliveries: known.deliveries,
            refused: known.refused,
            sampling: sampling(known),
            field_count: known.fields,
            is_cut: known.is_cut,
            first_seen: shown_minute(known.first_seen),
            first_in: known.first_in.to_string(),
            last_seen: shown_minute(known.last_seen),
            last_seen_at: known.last_seen.to_string(),
            more: told.len().saturating_sub(shown),
            findings: told.into_iter().take(shown).map(FindingView::of).collect(),
            undeclared: report.findings.iter().filter(|one| one.kind == FindingKind::Undeclared).count(),
            fields: report.fields.iter().filter(|_| is_one).map(FieldView::of).collect(),
        }
    }
}

fn sampling(known: &DriftType) -> String {
    let DriftType { deliveries, samples, .. } = known;
    let whole = whole(known.fields);
    let how = if *deliveries > whole {
        format!(" (the first {whole}, then one in {ONE_IN})")
    } else {
        String::new()
    };
    format!("{samples} of {deliveries} sampled{how}")
}

impl FindingView {
    fn of(finding: &Finding) -> Self {
        let (word, class) = match finding.kind {
            FindingKind::TypeChanged => ("type changed", "rejected"),
            FindingKind::OtherType => ("other type", "rejected"),
            FindingKind::Missing => ("missing", "pending"),
            FindingKind::NewField => ("new field", "sending"),
            FindingKind::Undeclared => ("not in schema", "unknown"),
        };
        Self {
            word,
            class,
            pointer: shown_pointer(&finding.pointer),
            sentence: finding.sentence.clone(),
            since: finding.since.map(shown_minute).unwrap_or_default(),
            delivery: finding.delivery.map(|id| id.to_string()),
        }
    }
}

impl FieldView {
    fn of(report: &FieldReport) -> Self {
        let field = &report.field;
        let types =
            field.kinds.iter().map(|kind: JsonKind| format!("{} {}×", kind.as_str(), field.seen_as(kind)));
        Self {
            pointer: shown_pointer(&field.pointer),
            types: types.collect::<Vec<_>>().join(", "),
            share: percent(report.present(), report.places),
            declared: match report.declared {
                None => "–".to_owned(),
                Some(kinds) if kinds.is_empty() => "anything".to_owned(),
                Some(kinds) => kinds.words(),
            },
            is_required: report.is_required,
            first_seen: shown_minute(field.first_seen),
            first_in: field.first_in.to_string(),
            first_sample: field.first_sample,
        }
    }
}

/// A time to the minute.
fn shown_minute(at: Timestamp) -> String {
    shown_time(&at.to_string()).get(..16).unwrap_or_default().to_owned()
}

fn shown_pointer(pointer: &str) -> String {
    if pointer.is_empty() { "(whole payload)".to_owned() } else { plain(pointer) }
}
