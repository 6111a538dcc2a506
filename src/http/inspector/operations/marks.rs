//! Pin, note and tags of a delivery.

use actix_web::http::StatusCode;
use serde_json::{Map, Value};

use crate::domain::{DeliveryId, Marks, MarksChange};
use crate::http::inspector::json_body::{bad, fault};
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::http::inspector::state::InspectorState;
use crate::store::Marked;

/// The maximum length of a note and of a tag, in characters.
const LONGEST: (usize, usize) = (10_000, 50);

/// The part of `max_size` that pinned deliveries may use.
const PINNED: u64 = 4;

/// The maximum number of tags of a delivery.
const MOST_TAGS: usize = 20;

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
