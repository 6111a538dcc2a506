//! `/`: deliveries, newest first, live, filtered by a form whose URL is the state.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::connect::Guide;
use super::page::{self, Frame};
use super::replays_page::search_text;
use super::row_view::RowView;
use super::state::InspectorState;
use crate::domain::{Reason, Verdict, plain};
use crate::http::api::{Blank, Params, filter, filter_names};
use crate::inspect::search::{FIELDS, Field};

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<RowView>,
    faults: Vec<String>,
    /// Nothing has ever been received, and nothing is filtered.
    is_first_sight: bool,
    is_filtered: bool,
    /// A page of older rows: not live.
    is_older: bool,
    fields: Fields,
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
    /// Where all that is found is sent again.
    replays_url: String,
    clear_url: &'static str,
    older_url: Option<String>,
    newest_url: String,
    /// The steps to a first delivery, where nothing was ever received.
    guide: Option<Guide>,
}

/// A field of the search box, explained.
struct HelpView {
    example: &'static str,
    url: String,
    about: &'static str,
}

/// A search that somebody gave a name.
struct SavedView {
    name: String,
    shown: String,
    query: String,
    is_here: bool,
}

/// The filter form's fields as they were typed.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        )
    }

    /// The value of a field; empty where it has none.
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether `value` is the field's.
    fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    /// Whether one of the fields behind "More filters" is set.
    fn has_more(&self) -> bool {
        let more = ["event_id", "entity", "method", "status", "client_ip", "from", "to"];
        more.iter().any(|name| !self.get(name).is_empty())
    }

    /// Where what they find is sent again.
    fn replays_url(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &search_text(&self.query(None)));
        query.extend_pairs(Some(self.get("ids")).filter(|ids| !ids.is_empty()).map(|ids| ("ids", ids)));
        format!("/replays?{}", query.finish())
    }

    /// The fields but `before`, as a query that `last` ends.
    fn query(&self, last: Option<(&str, &str)>) -> String {
        let fields = self.0.iter().filter(|(name, _)| name != "before");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(fields).extend_pairs(last);
        query.finish()
    }
}

/// The page.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Absent);
    let filter = filter(&mut params);
    let before = params.parsed("before", "a position in the log", |text| text.parse::<i64>().ok());
    let faults = params.finish(&filter_names(&["before"])).err().unwrap_or_default();
    let fields = Fields::read(request.query_string());
    // The stream starts where this list was read: a row may come twice, none is missed.
    let newest = *state.store.newest().borrow();
    let mut rows = Vec::new();
    if faults.is_empty() {
        rows = match state.store.list(&filter, before, ROWS.saturating_add(1)).await {
            Ok(rows) => rows,
            Err(fault) => return page::store_fault(&state, &fault),
        };
    }
    let query = fields.query(None);
    let saved = match state.store.saved_searches().await {
        Ok(saved) => saved,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let saved: Vec<SavedView> = saved
        .into_iter()
        .map(|one| SavedView {
            shown: plain(&one.name),
            is_here: one.query == query,
            name: one.name,
            query: one.query,
        })
        .collect();
    let has_older = rows.len() > ROWS;
    rows.truncate(ROWS);
    let oldest = rows.last().map(|row| row.seq.to_string());
    let is_filtered = filter != crate::domain::DeliveryFilter::default();
    let is_first_sight = rows.is_empty() && !is_filtered && before.is_none() && faults.is_empty();
    let guide = match is_first_sight {
        true => Guide::first(&request, &state).await.ok(),
        false => None,
    };
    let stream_query = fields.query(Some(("last_event_id", &newest.to_string())));
    let page = ListPage {
        frame: Frame::of(&state, "deliveries"),
        rows: rows.iter().map(RowView::from).collect(),
        is_first_sight,
        is_filtered,
        is_older: before.is_some(),
        sources: state.source_names(),
        reasons: Reason::ALL.iter().map(|reason| reason.as_str()).collect(),
        event_types: state.catalog.iter().map(|event_type| event_type.name().to_owned()).collect(),
        export_url: format!("/api/v1/deliveries/export?{}", fields.query(Some(("as", "")))),
        replays_url: fields.replays_url(),
        stream_url: format!("/api/v1/deliveries/stream?{stream_query}"),
        clear_url: "/",
        older_url: oldest
            .filter(|_| has_older)
            .map(|seq| format!("/?{}", fields.query(Some(("before", &seq))))),
        newest_url: format!("/?{}", fields.query(None)),
        guide,
        help: FIELDS.iter().map(help).collect(),
        is_saved: saved.iter().any(|one| one.is_here),
        saved,
        query,
        fields,
        faults: faults.into_iter().map(|fault| fault.message).collect(),
    };
    let status = if page.faults.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    page::html(status, &page)
}

fn help(field: &Field) -> HelpView {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", field.example).finish();
    HelpView { example: field.example, url: format!("/?{query}"), about: field.about }
}

impl ListPage {
    /// The verdicts to choose from.
    fn verdicts(&self) -> [&'static str; Verdict::ALL.len()] {
        Verdict::ALL.map(Verdict::as_str)
    }
}
