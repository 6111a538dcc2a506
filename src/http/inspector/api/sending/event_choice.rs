//! The event for a preview or a test: a given one, a stored one, or the catalogue's example.

use std::collections::BTreeMap;

use actix_web::web;
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::catalog::fresh_example;
use crate::domain::json::unique_members;
use crate::domain::{DeliveryId, OutgoingEvent};
use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::{self, bad, fault};
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::send::{fresh_id, read_delivery};
use crate::store::LoggedDelivery;

/// The names of the members that choose an event.
pub const KEYS: [&str; 3] = ["event", "delivery_id", "event_type"];

/// The members of a body, each as written.
pub type Members = BTreeMap<String, Box<RawValue>>;

/// Reads the body as an object with only `known` members.
///
/// # Errors
/// As `json_body::object`.
pub async fn members(payload: web::Payload, known: &[&str]) -> Result<Members, Problem> {
    let text = json_body::text(payload).await?;
    let members = unique_members(&text)
        .map_err(|wrong| bad(vec![fault("", &format!("not a JSON object: {wrong}"))]))?;
    json_body::only_known(members.keys(), known)?;
    Ok(members)
}

/// The chosen event; `default` is the type whose example is used if nothing is chosen.
///
/// # Errors
/// 400 if the choice cannot be used, 404 if there is no such delivery.
pub async fn chosen(
    state: &InspectorState,
    members: &Members,
    default: Option<&str>,
) -> Result<OutgoingEvent, Problem> {
    let given = KEYS.into_iter().filter_map(|key| Some((key, &**members.get(key)?)));
    let given: Vec<(&str, &RawValue)> = given.filter(|(_, value)| value.get() != "null").collect();
    match given.as_slice() {
        [] => match default {
            Some(event_type) => example(state, event_type),
            None => Err(bad(vec![fault("", "name an event: \"event\", \"delivery_id\" or \"event_type\"")])),
        },
        [(key, value)] => match (*key, serde_json::from_str::<String>(value.get())) {
            ("event", _) => {
                let posted = Bytes::from(value.get().to_owned());
                state.sender.draft_event(&posted).map_err(|faults| {
                    let under = |found: crate::domain::Fault| FieldFault {
                        pointer: format!("/event{}", found.path),
                        message: found.message,
                    };
                    bad(faults.into_iter().map(under).collect())
                })
            }
            ("event_type", Ok(name)) => example(state, &name),
            ("delivery_id", Ok(id)) => of_delivery(state, &id).await.map(|(event, _)| event),
            (key, _) => Err(bad(vec![fault(&format!("/{key}"), "must be a string")])),
        },
        _ => Err(bad(vec![fault(
            "",
            "name one event: \"event\", \"delivery_id\" or \"event_type\", not several",
        )])),
    }
}

/// A fresh example of the catalogue.
fn example(state: &InspectorState, name: &str) -> Result<OutgoingEvent, Problem> {
    let now = state.clock.wall();
    let fresh =
        state.catalog.resolve(name).and_then(|known| fresh_example(known, &fresh_id(now), &now.to_string()));
    let Some(fresh) = fresh else {
        let what = format!("the catalogue has no example of {name:?}; GET event-types lists what it has");
        return Err(bad(vec![fault("/event_type", &what)]));
    };
    let posted = Bytes::from(fresh.to_string());
    state
        .sender
        .draft_event(&posted)
        .map_err(|_| bad(vec![fault("/event_type", "its example is not an event")]))
}

/// The event of a stored delivery and its position; the first one of a batch.
///
/// # Errors
/// 404 if there is none; 409 if its body is not an event.
pub async fn of_delivery(state: &InspectorState, id: &str) -> Result<(OutgoingEvent, i64), Problem> {
    let missing =
        || Problem::not_found("There is no delivery of that id; it may have been removed by retention.");
    let id: DeliveryId = id.parse().map_err(|_| missing())?;
    let found = state.store.delivery(id).await.map_err(|fault| Problem::store_fault(&fault))?;
    let delivery = found.ok_or_else(missing)?;
    let seq = delivery.row.seq;
    let read = LoggedDelivery { row: delivery.row, headers: delivery.headers, body: delivery.body };
    let events = read_delivery(&state.sender, read).await.map_err(|fault| Problem::store_fault(&fault))?;
    let unreadable = || {
        Problem::new(
            actix_web::http::StatusCode::CONFLICT,
            "The body of this delivery cannot be read as an event.",
        )
    };
    events.into_iter().next().map(|event| (event, seq)).ok_or_else(unreadable)
}
