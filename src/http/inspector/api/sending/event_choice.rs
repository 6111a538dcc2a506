//! The event for a preview or a test: a given one, a stored one, or the catalogue's example.

use bytes::Bytes;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::catalog::fresh_example;
use crate::domain::{Fault, OutgoingEvent};
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::operations::replay::fault;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{AsWritten, Members};
use crate::http::inspector::state::InspectorState;
use crate::send::{fresh_id, read_delivery};
use crate::store::LoggedDelivery;

/// Which event: one of these, or none.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct EventChoice {
    /// An event, as it would be published.
    #[schema(value_type = Option<Object>)]
    event: Option<AsWritten>,
    /// The event of a stored delivery.
    delivery_id: Option<String>,
    /// The example of an event type.
    event_type: Option<String>,
}

impl Members for EventChoice {}

/// The chosen event; `default` is the type whose example is used if nothing is chosen.
///
/// # Errors
/// 400 if the choice cannot be used, 404 if there is no such delivery.
pub async fn chosen(
    state: &InspectorState,
    choice: EventChoice,
    default: Option<&str>,
) -> Result<OutgoingEvent, Problem> {
    match (choice.event, choice.delivery_id, choice.event_type) {
        (None, None, None) => match default {
            Some(event_type) => example(state, event_type),
            None => Err(bad("", "name an event: \"event\", \"delivery_id\" or \"event_type\"")),
        },
        (Some(AsWritten(text)), None, None) => {
            let posted = Bytes::from(text);
            state.sender.draft_event(&posted).map_err(|faults| {
                let under = |found: Fault| fault(&format!("/event{}", found.path), found.message);
                Problem::bad_body(faults.into_iter().map(under).collect())
            })
        }
        (None, Some(id), None) => of_delivery(state, &id).await.map(|(event, _)| event),
        (None, None, Some(name)) => example(state, &name),
        _ => Err(bad("", "name one event: \"event\", \"delivery_id\" or \"event_type\", not several")),
    }
}

fn bad(pointer: &str, message: &str) -> Problem {
    Problem::bad_body(vec![fault(pointer, message)])
}

/// A fresh example of the catalogue.
fn example(state: &InspectorState, name: &str) -> Result<OutgoingEvent, Problem> {
    let now = state.clock.wall();
    let fresh =
        state.catalog.resolve(name).and_then(|known| fresh_example(known, &fresh_id(now), &now.to_string()));
    let Some(fresh) = fresh else {
        let what = format!("the catalogue has no example of {name:?}; GET event-types lists what it has");
        return Err(bad("/event_type", &what));
    };
    let posted = Bytes::from(fresh.to_string());
    state.sender.draft_event(&posted).map_err(|_| bad("/event_type", "its example is not an event"))
}

/// The event of a stored delivery and its position; the first one of a batch.
///
/// # Errors
/// 404 if there is none; 409 if its body is not an event.
pub async fn of_delivery(state: &InspectorState, id: &str) -> Result<(OutgoingEvent, i64), Problem> {
    let delivery = stored(id, state).await?;
    let seq = delivery.row.seq;
    let read = LoggedDelivery { row: delivery.row, headers: delivery.headers, body: delivery.body };
    let events = read_delivery(&state.sender, read).await?;
    let unreadable = || Problem::conflict("The body of this delivery cannot be read as an event.");
    events.into_iter().next().map(|event| (event, seq)).ok_or_else(unreadable)
}
