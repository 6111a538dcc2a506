//! Where a delivery's event went: shown on its own page.

use crate::domain::{MessageFilter, OutgoingEvent, StoredDelivery, Verdict, plain};
use crate::http::inspector::state::InspectorState;
use crate::send::{Routing, read_delivery};
use crate::store::{LoggedDelivery, StoreError};

/// The most events of a batch that are shown.
const MOST_EVENTS: usize = 20;

/// One subscription, and what became of the event at it.
pub struct Onward {
    /// The subscription's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What became of the event there, in a sentence.
    pub why: String,
    /// Whether the event was meant for it.
    pub is_meant: bool,
    /// The message, where there is one.
    pub message: Option<String>,
    /// The message's status.
    pub status: &'static str,
}

/// Every subscription; empty for what was not accepted.
///
/// # Errors
/// When the store cannot be read.
pub async fn onward(state: &InspectorState, delivery: &StoredDelivery) -> Result<Vec<Onward>, StoreError> {
    if delivery.row.verdict != Verdict::Accepted {
        return Ok(Vec::new());
    }
    let read = LoggedDelivery {
        row: delivery.row.clone(),
        headers: delivery.headers.clone(),
        body: delivery.body.clone(),
    };
    let events = read_delivery(&state.sender, read).await?;
    let mut all = Vec::new();
    for event in events.iter().take(MOST_EVENTS) {
        let of = if events.len() > 1 {
            format!(" · {}", event.event_id.as_deref().unwrap_or_default())
        } else {
            String::new()
        };
        of_event(state, event, delivery.row.seq, &of, &mut all).await?;
    }
    Ok(all)
}

/// What became of one event at each subscription; `of` follows a subscription's name.
async fn of_event(
    state: &InspectorState,
    event: &OutgoingEvent,
    seq: i64,
    of: &str,
    all: &mut Vec<Onward>,
) -> Result<(), StoreError> {
    for (active, routing) in state.sender.routings(event, Some(seq)) {
        let subscription = &active.compiled.subscription;
        let filter = MessageFilter {
            subscription: Some(subscription.id.clone()),
            event_id: event.event_id.clone(),
            status: None,
        };
        let messages = match &event.event_id {
            Some(_) => state.store.messages(filter, None, 1).await?,
            None => Vec::new(),
        };
        let message = messages.first().filter(|_| routing == Routing::Sent || !messages.is_empty());
        all.push(Onward {
            id: subscription.id.clone(),
            name: plain(&format!("{}{of}", subscription.name)),
            why: plain(&routing.sentence()),
            message: message.map(|row| row.id.to_string()),
            status: message.map(|row| row.status.as_str()).unwrap_or_default(),
            is_meant: message.is_some()
                || matches!(routing, Routing::Sent | Routing::FilterFailed(_) | Routing::Loop),
        });
    }
    for parked in state.sender.subscriptions().all_parked() {
        let filter = MessageFilter {
            subscription: Some(parked.id.clone()),
            event_id: event.event_id.clone(),
            status: None,
        };
        if event.event_id.is_none() {
            break;
        }
        if let Some(row) = state.store.messages(filter, None, 1).await?.first() {
            all.push(Onward {
                id: parked.id.clone(),
                name: plain(&format!("{}{of}", parked.name)),
                why: plain(&parked.sentence()),
                is_meant: true,
                message: Some(row.id.to_string()),
                status: row.status.as_str(),
            });
        }
    }
    Ok(())
}
