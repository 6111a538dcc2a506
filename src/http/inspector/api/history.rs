//! `GET events/{event_id}/timeline`, `GET deliveries/{id}/diff/{other}`, `PATCH deliveries/{id}`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::deliveries::stored;
use super::objects::RowObject;
use crate::domain::{DeliveryId, Marks, MarksChange};
use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::{bad, fault, object};
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{FieldFault, Problem, answer};
use crate::inspect::ClientRepeat;
use crate::inspect::diff::{Changes, Comparison, LineChange};
use crate::inspect::timeline::Timeline;
use crate::store::Marked;

/// The maximum length of a note and of a tag, in characters.
const LONGEST: (usize, usize) = (10_000, 50);
/// The part of `max_size` that pinned deliveries may use.
const PINNED: u64 = 4;
/// The maximum number of tags of a delivery.
const MOST_TAGS: usize = 20;

/// Every delivery of an event.
pub async fn timeline(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let source = params.text("source").or_else(|| state.source_names().into_iter().next());
    if let Err(faults) = params.finish(&["source"]) {
        return Problem::bad_parameters(faults).response();
    }
    let source = source.unwrap_or_default();
    match Timeline::of(&state.store, &source, &id).await {
        Err(wrong) => Problem::store_fault(&wrong).response(),
        Ok(found) => {
            let attempts: Vec<Value> = found
                .attempts
                .iter()
                .map(|attempt| {
                    let mut one = json!(RowObject::from(&attempt.row));
                    if let Value::Object(members) = &mut one {
                        let gap = attempt.gap.map(|gap| gap.as_secs_f64());
                        members.insert("gap_s".to_owned(), json!(gap));
                        let repeat = attempt.repeat.as_ref().map(ClientRepeat::sentence);
                        members.insert("repeat".to_owned(), json!(repeat));
                        members.insert("body".to_owned(), json!(attempt.changes.as_ref().map(changes_word)));
                    }
                    one
                })
                .collect();
            HttpResponse::Ok().json(json!({
                "source": source,
                "event_id": id.as_str(),
                "attempts": attempts,
                "has_more": found.has_more,
                "schedule": found.schedule,
            }))
        }
    }
}

/// How a body differs from the previous one, in words.
pub fn changes_word(changes: &Changes) -> String {
    match changes {
        Changes::Same => "the same bytes".to_owned(),
        Changes::Json { count: 1, has_more: false } => "one value differs".to_owned(),
        Changes::Json { count, has_more } => {
            format!("{count}{} values differ", if *has_more { " or more" } else { "" })
        }
        Changes::Written { at } => format!("the same values, written otherwise from byte {at} on"),
        Changes::Bytes { at } => format!("other bytes from byte {at} on"),
    }
}

/// The differences between two deliveries.
pub async fn diff(path: web::Path<(String, String)>, state: web::Data<InspectorState>) -> HttpResponse {
    let (one, other) = path.into_inner();
    answer(
        compared(&state, &one, &other).await.map(|(.., found)| HttpResponse::Ok().json(diff_object(&found))),
    )
}

/// Both deliveries and their differences.
///
/// # Errors
/// 404, 503.
pub async fn compared(
    state: &InspectorState,
    one: &str,
    other: &str,
) -> Result<(crate::domain::DeliveryRow, crate::domain::DeliveryRow, Comparison), Problem> {
    let (one, other) = (stored(one, state).await?, stored(other, state).await?);
    let rows = (one.row.clone(), other.row.clone());
    let found = tokio::task::spawn_blocking(move || Comparison::of(&one, &other)).await;
    let found = found.map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "They cannot be compared; the log says why.")
    })?;
    Ok((rows.0, rows.1, found))
}

fn diff_object(found: &Comparison) -> Value {
    let line = |line: &crate::inspect::diff::Line| {
        let change = match line.change {
            LineChange::Same => "same",
            LineChange::Removed => "removed",
            LineChange::Added => "added",
        };
        json!({"change": change, "text": line.text})
    };
    let json = found.json.as_ref().map(|diff| {
        let changes = diff.changes.iter().map(|change| {
            json!({"pointer": change.pointer, "before": change.before, "after": change.after,
                "equal_number": change.is_equal_number})
        });
        json!({"changes": changes.collect::<Vec<_>>(), "has_more": diff.has_more})
    });
    json!({
        "same_bytes": found.first_difference.is_none(),
        "first_difference": found.first_difference,
        "head": found.head.iter().map(line).collect::<Vec<_>>(),
        "json": json,
        "lines": found.lines.as_ref().map(|(lines, _)| lines.iter().map(line).collect::<Vec<_>>()),
        "hex": found.hex.as_ref().map(|sides| sides.clone().map(|side| hex_text(&side))),
        "lines_have_more": found.lines.as_ref().is_some_and(|(_, has_more)| *has_more),
    })
}

/// Lines of a dump as text.
pub fn hex_text(lines: &[crate::domain::HexLine]) -> String {
    lines.iter().map(|line| format!("{}  {:<48}  {}\n", line.offset, line.hex, line.ascii)).collect()
}

/// Changes pin, note and tags.
pub async fn mark(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            let members = object(payload, &["pinned", "note", "tags"]).await?;
            let marks = marked(&state, &id, change(&members)?).await?;
            Ok(HttpResponse::Ok().json(json!({
                "id": id.as_str(), "pinned": marks.is_pinned, "note": marks.note, "tags": marks.tags,
            })))
        }
        .await,
    )
}

/// Stores a change of marks.
///
/// # Errors
/// 404; 409 if too many are pinned; 503.
pub async fn marked(state: &InspectorState, id: &str, change: MarksChange) -> Result<Marks, Problem> {
    let missing =
        || Problem::not_found("There is no delivery of that id; it may have been removed by retention.");
    let id: DeliveryId = id.parse().map_err(|_| missing())?;
    match state.store.mark(id, change, state.max_size / PINNED).await {
        Ok(Marked::Done(marks)) => Ok(marks),
        Ok(Marked::NoDelivery) => Err(missing()),
        Ok(Marked::TooManyPins) => {
            let why = "A thousand deliveries are pinned already, or a quarter of max_size is: unpin one first. Search for pinned:true.";
            Err(Problem::new(StatusCode::CONFLICT, why))
        }
        Err(wrong) => Err(Problem::store_fault(&wrong)),
    }
}

/// The change that the members request.
///
/// # Errors
/// 400 with every fault.
pub fn change(members: &Map<String, Value>) -> Result<MarksChange, Problem> {
    let mut faults: Vec<FieldFault> = Vec::new();
    let is_pinned = match members.get("pinned") {
        None => None,
        Some(Value::Bool(is_pinned)) => Some(*is_pinned),
        Some(_) => {
            faults.push(fault("/pinned", "true or false"));
            None
        }
    };
    let is_odd = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
    let note = match members.get("note") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(Value::String(note)) if note.chars().count() <= LONGEST.0 && !note.contains(is_odd) => {
            Some(Some(note.clone()).filter(|note| !note.trim().is_empty()))
        }
        Some(_) => {
            let expected = format!("a text of at most {} characters, or null", LONGEST.0);
            faults.push(fault("/note", &expected));
            None
        }
    };
    let tags = members.get("tags").and_then(|value| {
        let found = tags(value);
        if found.is_none() {
            let expected =
                format!("at most {MOST_TAGS} texts of 1 to {} characters without commas", LONGEST.1);
            faults.push(fault("/tags", &expected));
        }
        found
    });
    if faults.is_empty() { Ok(MarksChange { is_pinned, note, tags }) } else { Err(bad(faults)) }
}

fn tags(value: &Value) -> Option<Vec<String>> {
    let mut tags: Vec<String> = Vec::new();
    for tag in value.as_array()? {
        let tag = tag.as_str()?.trim();
        if tag.is_empty()
            || tag.chars().count() > LONGEST.1
            || tag.contains(|letter: char| letter.is_control() || letter == ',')
        {
            return None;
        }
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    (tags.len() <= MOST_TAGS).then_some(tags)
}
