//! `GET events/{event_id}/timeline`, `GET deliveries/{id}/diff/{other}`, `PATCH deliveries/{id}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::objects::RowObject;
use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::object;
use crate::http::inspector::operations::comparison::{changes_word, compared, hex_text};
use crate::http::inspector::operations::marks::{change, marked};
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{Problem, answer};
use crate::inspect::ClientRepeat;
use crate::inspect::diff::{Comparison, LineChange};
use crate::inspect::timeline::Timeline;

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

/// The differences between two deliveries.
pub async fn diff(path: web::Path<(String, String)>, state: web::Data<InspectorState>) -> HttpResponse {
    let (one, other) = path.into_inner();
    answer(
        compared(&state, &one, &other).await.map(|(.., found)| HttpResponse::Ok().json(diff_object(&found))),
    )
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
