//! `GET events/{event_id}/timeline`, `GET deliveries/{id}/diff/{other}`.

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::objects::RowObject;
use super::openapi::Done;
use crate::http::inspector::operations::comparison::{changes_word, compared, hex_text};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{Members, Query};
use crate::http::inspector::state::InspectorState;
use crate::inspect::ClientRepeat;
use crate::inspect::diff::{Comparison, Line, LineChange};
use crate::inspect::timeline::Timeline;

/// Whose event.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct TimelineParams {
    /// The source; the first one without it.
    source: Option<String>,
}

impl Members for TimelineParams {}

/// Every delivery of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineObject {
    source: String,
    event_id: String,
    attempts: Vec<TimelineAttempt>,
    /// Whether there are more than these.
    has_more: bool,
    /// The schedule by which the sender tries again, in words.
    schedule: Option<String>,
}

/// One delivery of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineAttempt {
    #[serde(flatten)]
    row: RowObject,
    /// Seconds since the delivery before.
    gap_s: Option<f64>,
    /// Whether a client or a proxy repeated a request automatically, in words.
    repeat: Option<String>,
    /// How its body differs from the one before, in words.
    body: Option<String>,
}

/// Every delivery of an event.
pub async fn timeline(
    id: web::Path<String>,
    Query(params): Query<TimelineParams>,
    state: web::Data<InspectorState>,
) -> Result<Done<TimelineObject>, Problem> {
    let source = params.source.or_else(|| state.source_names().into_iter().next()).unwrap_or_default();
    let found = Timeline::of(&state.store, &source, &id).await?;
    let attempts = found.attempts.iter().map(|attempt| TimelineAttempt {
        row: RowObject::from(&attempt.row),
        gap_s: attempt.gap.map(|gap| gap.as_secs_f64()),
        repeat: attempt.repeat.as_ref().map(ClientRepeat::sentence),
        body: attempt.changes.as_ref().map(changes_word),
    });
    Ok(Done(TimelineObject {
        attempts: attempts.collect(),
        source,
        event_id: id.into_inner(),
        has_more: found.has_more,
        schedule: found.schedule,
    }))
}

/// The differences between two deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub struct Differences {
    /// Whether the bodies are equal.
    same_bytes: bool,
    /// The first byte in which they differ.
    first_difference: Option<usize>,
    /// The request line and the headers.
    head: Vec<LineObject>,
    /// The values that differ, where both bodies are JSON.
    json: Option<JsonDifferences>,
    /// The lines, where both bodies are text.
    lines: Option<Vec<LineObject>>,
    /// Both bodies around the first difference.
    hex: Option<Vec<String>>,
    lines_have_more: bool,
}

/// A line of a difference.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineObject {
    /// `same`, `removed` or `added`.
    change: &'static str,
    text: String,
}

/// Values that differ.
#[derive(Debug, Serialize, ToSchema)]
pub struct JsonDifferences {
    changes: Vec<JsonChange>,
    has_more: bool,
}

/// A value that differs.
#[derive(Debug, Serialize, ToSchema)]
pub struct JsonChange {
    /// A JSON pointer.
    pointer: String,
    /// The JSON of the value before; null if there was none.
    before: Option<String>,
    after: Option<String>,
    /// Whether both are the same number, written differently.
    equal_number: bool,
}

/// The differences between two deliveries.
pub async fn diff(
    path: web::Path<(String, String)>,
    state: web::Data<InspectorState>,
) -> Result<Done<Differences>, Problem> {
    let (one, other) = path.into_inner();
    let (.., found) = compared(&state, &one, &other).await?;
    Ok(Done(differences(&found)))
}

fn line(line: &Line) -> LineObject {
    let change = match line.change {
        LineChange::Same => "same",
        LineChange::Removed => "removed",
        LineChange::Added => "added",
    };
    LineObject { change, text: line.text.clone() }
}

fn differences(found: &Comparison) -> Differences {
    let json = found.json.as_ref().map(|diff| {
        let changes = diff.changes.iter().map(|change| JsonChange {
            pointer: change.pointer.clone(),
            before: change.before.clone(),
            after: change.after.clone(),
            equal_number: change.is_equal_number,
        });
        JsonDifferences { changes: changes.collect(), has_more: diff.has_more }
    });
    Differences {
        same_bytes: found.first_difference.is_none(),
        first_difference: found.first_difference,
        head: found.head.iter().map(line).collect(),
        json,
        lines: found.lines.as_ref().map(|(lines, _)| lines.iter().map(line).collect()),
        hex: found.hex.as_ref().map(|sides| sides.iter().map(|side| hex_text(side)).collect()),
        lines_have_more: found.lines.as_ref().is_some_and(|(_, has_more)| *has_more),
    }
}
