//! `/diff?a=…&b=…`: two deliveries side by side.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::page::{self, Frame};
use super::row_view::RowView;
use crate::domain::plain;
use crate::http::inspector::operations::comparison::{compared, hex_text};
use crate::http::inspector::request::{Blank, Fields, Members};
use crate::http::inspector::state::InspectorState;
use crate::inspect::diff::{JsonDiff, Line, LineChange};

/// The longest value that is shown, in characters.
const LONGEST: usize = 2_000;

#[derive(Template)]
#[template(path = "diff.html")]
struct DiffPage {
    frame: Frame,
    /// What differs, in a line.
    headline: String,
    sides: [RowView; 2],
    head: Vec<LineView>,
    same_head: bool,
    first_difference: Option<usize>,
    json: Option<Vec<ChangeView>>,
    has_more: bool,
    lines: Option<Vec<LineView>>,
    hex: Option<[String; 2]>,
}

struct LineView {
    kind: &'static str,
    sign: &'static str,
    text: String,
}

struct ChangeView {
    pointer: String,
    before: Option<String>,
    after: Option<String>,
    is_equal_number: bool,
}

/// The ids of two deliveries.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Pair {
    a: String,
    b: String,
}

impl Members for Pair {}

/// The form for two ids, or what is different between them.
pub async fn diff(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let Pair { a, b } = Fields::of_query(request.query_string(), Blank::Absent).take();
    let (one, other) = (id_of(&a), id_of(&b));
    let (one, other, found) = match compared(&state, &one, &other).await {
        Ok(found) => found,
        Err(problem) => {
            return page::message(&state, problem.status(), "Nothing to compare", &problem.sentences());
        }
    };
    let json = found.json.as_ref().map(changes);
    let headline = headline(
        found.first_difference,
        json.as_deref(),
        found.json.as_ref().is_some_and(|diff| diff.has_more),
    );
    let has_more_lines = found.lines.as_ref().is_some_and(|(_, has_more)| *has_more);
    let page = DiffPage {
        frame: Frame::of(&state, "deliveries"),
        headline,
        sides: [RowView::from(&one), RowView::from(&other)],
        same_head: found.head.iter().all(|line| line.change == LineChange::Same),
        head: found.head.iter().map(line).collect(),
        first_difference: found.first_difference,
        has_more: has_more_lines || found.json.as_ref().is_some_and(|diff| diff.has_more),
        json,
        hex: found.hex.as_ref().map(|sides| sides.clone().map(|side| hex_text(&side))),
        lines: found.lines.as_ref().map(|(lines, _)| lines.iter().map(line).collect()),
    };
    page::html(StatusCode::OK, &page)
}

/// What differs between two bodies, in a line.
fn headline(first_difference: Option<usize>, json: Option<&[ChangeView]>, has_more: bool) -> String {
    match (first_difference, json) {
        (None, _) => "The same bytes".to_owned(),
        (Some(_), None) => "The bytes differ".to_owned(),
        (Some(_), Some([])) if !has_more => "The same values, only the formatting differs".to_owned(),
        (Some(_), Some([only])) if !has_more && only.pointer.is_empty() => {
            "The whole value differs".to_owned()
        }
        (Some(_), Some([only])) if !has_more => format!("1 value differs: {}", only.pointer),
        (Some(_), Some(changes)) => {
            let more = if has_more { " or more" } else { "" };
            let first =
                changes.first().map(|change| format!(", first {}", change.pointer)).unwrap_or_default();
            format!("{}{more} values differ{first}", changes.len())
        }
    }
}

/// An id, or the address of a delivery's page.
fn id_of(text: &str) -> String {
    let last = text.trim().rsplit('/').next().unwrap_or_default();
    last.split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn line(line: &Line) -> LineView {
    let (kind, sign) = match line.change {
        LineChange::Same => ("same", " "),
        LineChange::Removed => ("removed", "−"),
        LineChange::Added => ("added", "+"),
    };
    LineView { kind, sign, text: cut(&line.text) }
}

fn changes(diff: &JsonDiff) -> Vec<ChangeView> {
    let view = |change: &crate::inspect::diff::JsonChange| ChangeView {
        pointer: plain(&change.pointer),
        before: change.before.as_deref().map(cut),
        after: change.after.as_deref().map(cut),
        is_equal_number: change.is_equal_number,
    };
    diff.changes.iter().map(view).collect()
}

fn cut(text: &str) -> String {
    let shown: String = text.chars().take(LONGEST).collect();
    let dots = if shown.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", plain(&shown))
}
