//! Our own events: `message.dead`, grouped, and `endpoint.disabled`. They go to subscriptions that name them, and
//! never cause such events about their own delivery.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::domain::{OutgoingEvent, Timestamp};
use crate::send::state::{Duty, Sender};
use crate::send::subscriptions::{Active, Reach};
use crate::send::wire::{fresh_id, redacted_url};
use crate::store::{NewMessage, StoreError, UnreportedLetters};

/// The types of our own events.
pub const OWN_EVENTS: &[&str] = &["message.dead", "endpoint.disabled", "device.silent"];
/// The source name of published events.
pub const PUBLISHED: &str = "published";
/// How long the first dead letter waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// The minimum time between two notices about one subscription.
const AT_LEAST: Duration = Duration::from_secs(60);

/// Sends notices about dead letters until the program stops: the first at once, then at most one a minute per
/// subscription. One node at a time does so.
pub async fn run(sender: Sender) {
    let mut stopping = sender.stopping();
    let mut last: HashMap<String, Timestamp> = HashMap::new();
    // There may be dead letters from before the start.
    let mut is_due = true;
    let mut duty = Duty::new("notices");
    loop {
        if !is_due {
            tokio::select! {
                () = sender.letters_to_tell() => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(GATHER) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        if !duty.is_ours(&sender).await {
            // The other node learns of them from the store.
            is_due = false;
            continue;
        }
        is_due = match send_due_notices(&sender, &mut last).await {
            Ok(is_more) => is_more,
            Err(fault) => {
                tracing::error!(%fault, "administrators cannot be told of dead letters; it is tried again");
                true
            }
        };
    }
}

/// Sends the notices that are due; returns whether any must wait.
async fn send_due_notices(
    sender: &Sender,
    last: &mut HashMap<String, Timestamp>,
) -> Result<bool, StoreError> {
    let mut is_more = false;
    for letters in sender.store().unreported_dead_letters(OWN_EVENTS).await? {
        let now = sender.both();
        if last.get(&letters.subscription).is_some_and(|at| at.plus(AT_LEAST) > now.due) && letters.count > 0
        {
            is_more = true;
            continue;
        }
        let notice = (letters.count > 0).then(|| dead_notice(sender, &letters, now.wall));
        if notice.is_some() {
            last.insert(letters.subscription.clone(), now.due);
        }
        sender.store().report_dead_letters(letters, notice, now).await?;
        sender.wake();
    }
    Ok(is_more)
}

fn dead_notice(
    sender: &Sender,
    letters: &UnreportedLetters,
    now: Timestamp,
) -> (OutgoingEvent, Vec<NewMessage>) {
    let active = sender.subscriptions().get(&letters.subscription);
    let data = json!({
        "subscription": subscription_words(&letters.subscription, active.as_deref()),
        "count": letters.count,
        "message_ids": letters.messages.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "error": letters.error,
    });
    own_event(sender, "message.dead", vec![("data", data)], now)
}

/// An endpoint responded 410: disables its subscription and notifies administrators.
pub async fn endpoint_gone(sender: &Sender, id: &str) {
    let now = sender.both();
    match sender.store().disable_subscription(id.to_owned(), "gone", now.wall).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(fault) => {
            tracing::error!(%fault, subscription = id, "a subscription whose endpoint is gone cannot be disabled");
            return;
        }
    }
    sender.subscriptions().disable(id, "gone");
    tracing::warn!(subscription = id, "the endpoint answered 410 Gone: the subscription is disabled");
    let active = sender.subscriptions().get(id);
    let data = json!({"subscription": subscription_words(id, active.as_deref()), "reason": "gone"});
    let (event, messages) = own_event(sender, "endpoint.disabled", vec![("data", data)], now.wall);
    if let Err(fault) = sender.store().publish(event, [0; 32], messages, now).await {
        tracing::error!(%fault, "administrators cannot be told of a disabled endpoint");
    }
    sender.wake();
}

/// The subscription in a notice. Its URL is given without the query, which may contain a secret.
fn subscription_words(id: &str, active: Option<&Active>) -> Value {
    let Some(active) = active else { return json!({"id": id}) };
    let mut url = active.compiled.url.clone();
    url.set_query(None);
    let url = redacted_url(url.as_str());
    json!({"id": id, "name": active.compiled.subscription.name, "url": url})
}

/// One of our own events with those members, and its messages.
pub(super) fn own_event(
    sender: &Sender,
    event_type: &str,
    members: Vec<(&str, Value)>,
    now: Timestamp,
) -> (OutgoingEvent, Vec<NewMessage>) {
    let id = fresh_id(now);
    let mut body = json!({"id": id, "event": event_type, "timestamp": now.to_string()});
    if let Some(object) = body.as_object_mut() {
        object.extend(members.into_iter().map(|(key, value)| (key.to_owned(), value)));
    }
    let body = body.to_string();
    let event = OutgoingEvent {
        source: PUBLISHED.to_owned(),
        event_id: Some(id),
        event_type: event_type.to_owned(),
        entity: None,
        received_at: now,
        body: Bytes::from(body),
        delivery: None,
        lineage: Vec::new(),
    };
    // `*` covers the platform's events, not events about ourselves.
    let actives: Vec<_> = sender
        .subscriptions()
        .all()
        .iter()
        .filter(|active| active.compiled.names_type(event_type))
        .cloned()
        .collect();
    let reach = Reach::of(&actives, &event, None);
    sender.note_filters(&reach, &event);
    (event, reach.messages)
}
