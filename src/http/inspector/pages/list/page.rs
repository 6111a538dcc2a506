//! The page, and the parts of it that are read again while it is open.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::days::{Day, days};
use super::fields::{Fields, RangeView};
use super::survey::{SurveyView, survey as surveyed};
use crate::domain::{DeliveryFilter, DeliveryRow, Reason, Verdict, plain};
use crate::http::inspector::InspectorState;
use crate::http::inspector::list_row::{html, views};
use crate::http::inspector::pages::connect::Guide;
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::http::inspector::request::{As, Blank, Cursor, DeliveryParams, Fields as Params, Members};
use crate::http::inspector::words::{When, shown_time};
use crate::inspect::search::{self, FIELDS};
use crate::store::{SearchPage, StoreError};

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    frame: Frame,
    days: Vec<Day>,
    /// Before the paths of links in rows; pages get the public path elsewhere.
    base: &'static str,
    faults: Vec<FaultView>,
    /// Nothing has ever been received, and nothing is filtered.
    is_first_sight: bool,
    is_filtered: bool,
    /// A page of older rows: not live.
    is_older: bool,
    fields: Fields,
    ranges: Vec<RangeView>,
    survey: SurveyView,
    help: Vec<HelpView>,
    saved: Vec<SavedView>,
    /// This search as it is saved.
    query: String,
    is_saved: bool,
    sources: Vec<String>,
    reasons: Vec<&'static str>,
    event_types: Vec<String>,
    stream_url: String,
    /// The export of all that is found; the format's word ends it.
    export_url: String,
    /// Where all that is found is replayed.
    replays_url: String,
    older_url: Option<String>,
    /// If the time was over: when the last delivery that was looked at was received.
    searched_back_to: Option<When>,
    newest_url: String,
    /// The steps to a first delivery, where nothing was ever received.
    guide: Option<Guide>,
}

/// What cannot be read, and the search that was probably meant.
struct FaultView {
    message: String,
    /// The word that is right, and the list of the search with it.
    meant: Option<(String, String)>,
    /// What is taken there; may be empty.
    expected: String,
}

/// A field of the search box, explained.
struct HelpView {
    example: &'static str,
    url: String,
    about: &'static str,
}

/// A search that was saved under a name.
struct SavedView {
    name: String,
    shown: String,
    query: String,
    is_here: bool,
}

/// Where an older page begins.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Older {
    before: Option<As<Cursor>>,
}

impl Members for Older {}

/// The page.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let fields = Fields::read(request.query_string());
    if let Some(shorter) = fields.shorter(request.query_string()) {
        return HttpResponse::Found().insert_header((LOCATION, shorter)).finish();
    }
    let mut params = Params::of_query(request.query_string(), Blank::Absent);
    let filter = DeliveryFilter::from(params.take::<DeliveryParams>());
    let before = params.take::<Older>().before.map(|As(Cursor(before))| before);
    let faults = params.finish().err().map(Problem::into_faults).unwrap_or_default();
    match shown(&request, &state, fields, &filter, before, faults).await {
        Ok(page) => {
            let status = if page.faults.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            page::html(status, &page)
        }
        Err(fault) => page::store_fault(&state, &fault),
    }
}

async fn shown(
    request: &HttpRequest,
    state: &InspectorState,
    fields: Fields,
    filter: &DeliveryFilter,
    before: Option<i64>,
    faults: Vec<FieldFault>,
) -> Result<ListPage, StoreError> {
    // The stream starts where this list was read: a row may come twice, none is missed.
    let newest = *state.store.newest().borrow();
    let (found, survey) = tokio::try_join!(
        state.store.page(filter, before, ROWS.saturating_add(1), state.search_time),
        surveyed(state, filter, &fields)
    )?;
    let SearchPage { rows, stopped } = found;
    let are_all = before.is_none() && rows.len() <= ROWS && stopped.is_none();
    let survey = survey.with_rows(rows.len().min(ROWS), are_all);
    let query = fields.query(None);
    let saved = saved(state, &query).await?;
    let is_filtered = *filter != DeliveryFilter::default();
    let is_first_sight = are_all && rows.is_empty() && !is_filtered && faults.is_empty();
    let guide = match is_first_sight {
        true => Guide::first(request, state).await.ok(),
        false => None,
    };
    let now = state.clock.wall();
    let stream_query = fields.query(Some(("rows", "html")));
    let goes_on = oldest_shown(&rows).or_else(|| stopped.map(|stopped| stopped.before.to_string()));
    let older_url = goes_on.map(|seq| format!("/?{}", fields.query(Some(("before", &seq)))));
    let shown: Vec<DeliveryRow> = rows.into_iter().take(ROWS).collect();
    Ok(ListPage {
        frame: Frame::of(state, "deliveries"),
        days: days(views(state, &shown).await, now),
        base: "",
        is_first_sight,
        is_filtered,
        is_older: before.is_some(),
        ranges: fields.ranges(),
        survey,
        sources: state.source_names(),
        reasons: Reason::ALL.iter().map(|reason| reason.as_str()).collect(),
        event_types: state.catalog.iter().map(|event_type| event_type.name().to_owned()).collect(),
        export_url: format!("/api/v1/deliveries/export?{}", fields.query(Some(("as", "")))),
        replays_url: fields.replays_url(),
        stream_url: format!("/api/v1/deliveries/stream?{stream_query}&last_event_id={newest}"),
        older_url,
        searched_back_to: stopped.map(|stopped| {
            let iso = stopped.received_at.to_string();
            When { shown: shown_time(&iso), iso }
        }),
        newest_url: format!("/?{query}"),
        guide,
        help: FIELDS.iter().map(|field| help(field, &fields)).collect(),
        is_saved: saved.iter().any(|one| one.is_here),
        saved,
        query,
        faults: faults.into_iter().map(|fault| fault_view(fault, &fields)).collect(),
        fields,
    })
}

/// The position of the last row of a page that has more behind it.
fn oldest_shown(rows: &[DeliveryRow]) -> Option<String> {
    let last = rows.get(ROWS.saturating_sub(1)).filter(|_| rows.len() > ROWS);
    last.map(|row| row.seq.to_string())
}

async fn saved(state: &InspectorState, query: &str) -> Result<Vec<SavedView>, StoreError> {
    let saved = state.store.saved_searches().await?.into_iter();
    let view = |one: crate::store::SavedSearch| SavedView {
        shown: plain(&one.name),
        is_here: one.query == query,
        name: one.name,
        query: one.query,
    };
    Ok(saved.map(view).collect())
}

fn fault_view(fault: FieldFault, fields: &Fields) -> FaultView {
    let wrong = if fault.pointer == "/q" { search::parse(fields.get("q")).err() } else { None };
    match wrong {
        None => FaultView { message: fault.message, meant: None, expected: String::new() },
        Some(wrong) => FaultView {
            message: format!("{}.", wrong.message),
            meant: wrong.meant.map(|meant| (meant.word, fields.searched(&meant.search))),
            expected: wrong.expected.map_or_else(String::new, |expected| sentence(&expected)),
        },
    }
}

/// `a size is expected: >10KB` as a sentence.
fn sentence(expected: &str) -> String {
    let mut letters = expected.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn help(field: &search::Field, fields: &Fields) -> HelpView {
    HelpView { example: field.example, url: fields.searched(field.example), about: field.about }
}

#[derive(Template)]
#[template(path = "list/survey_part.html")]
struct SurveyPart {
    survey: SurveyView,
}

/// The count and the histogram again, as they are now.
pub async fn survey(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let params = Params::of_query(request.query_string(), Blank::Absent);
    let filter = match params.read::<DeliveryParams>() {
        Ok(params) => DeliveryFilter::from(params),
        Err(problem) => return problem.response(),
    };
    match surveyed(&state, &filter, &Fields::read(request.query_string())).await {
        Ok(survey) => page::html(StatusCode::OK, &SurveyPart { survey }),
        Err(fault) => page::store_fault(&state, &fault),
    }
}

/// Some rows again, as they are now: what is found out about a delivery comes after it.
pub async fn rows(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let params = Params::of_query(request.query_string(), Blank::Absent);
    let filter = match params.read::<DeliveryParams>() {
        Ok(params) => DeliveryFilter::from(params),
        Err(problem) => return problem.response(),
    };
    match state.store.list(&filter, None, ROWS).await {
        Ok(found) => {
            let rows: String = views(&state, &found).await.iter().map(|row| html(row, "")).collect();
            let table = format!("<table><tbody>{rows}</tbody></table>");
            HttpResponse::Ok().content_type("text/html; charset=utf-8").body(table)
        }
        Err(fault) => page::store_fault(&state, &fault),
    }
}

impl ListPage {
    /// The verdicts to choose from.
    fn verdicts(&self) -> [&'static str; Verdict::ALL.len()] {
        Verdict::ALL.map(Verdict::as_str)
    }

    /// Whether new rows appear by themselves.
    fn is_live(&self) -> bool {
        !self.is_older && self.faults.is_empty()
    }
}
