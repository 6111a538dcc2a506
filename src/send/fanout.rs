//! Creates messages from accepted deliveries, by tailing the log from a stored cursor.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::compiled::{Compiled, scope_of};
use super::evaluations::Part;
use super::scope::Scope;
use super::sender::Sender;
use super::subscriptions::Active;
use crate::domain::{Headers, MessageId, OutgoingEvent};
use crate::payload::EventText;
use crate::store::{FanOut, FannedDelivery, NewMessage, StoreError};

/// The most deliveries of one step.
const STEP: usize = 256;
/// The most messages of one step if every event goes to every subscription, except for a last event. Incoming
/// deliveries wait for the step.
const STEP_MESSAGES: usize = 512;
/// The most bytes of bodies in one step, except for the last body.
const STEP_BYTES: usize = 16 * 1024 * 1024;
/// The most subscriptions that an event may pass through by way of our own receiver.
const MOST_HOPS: usize = 4;
/// The pause after a store error.
const PAUSE: Duration = Duration::from_millis(500);
/// Headers in which a message id can return to us.
const ID_HEADERS: [&str; 3] = ["x-tagorun-batch-carries", "x-tagorun-message-id", "webhook-id"];
/// The most marks looked up per body.
const MOST_MARKS: usize = 8;
/// The name of an event without a name.
const UNNAMED: &str = "unknown";

/// Why an event is sent, or not sent, to a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routing {
    /// It is sent.
    Sent,
    /// The subscription is disabled.
    Disabled,
    /// The subscription does not accept events of this source.
    OtherSource,
    /// The subscription does not accept events of this type.
    OtherType,
    /// Its filter did not match.
    Filtered,
    /// Its filter could not be evaluated on the event; contains the error.
    FilterFailed(String),
    /// The event came from one of the subscription's own messages: the loop ends here.
    Loop,
    /// The subscription was created after the event arrived.
    Later,
}

impl Routing {
    /// The word in the API.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Disabled => "disabled",
            Self::OtherSource => "other_source",
            Self::OtherType => "other_type",
            Self::Filtered => "filtered",
            Self::FilterFailed(_) => "filter_failed",
            Self::Loop => "loop",
            Self::Later => "later",
        }
    }

    /// The same as a sentence.
    #[must_use]
    pub fn sentence(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::FilterFailed(why) => return Cow::Owned(format!("The filter failed on this event: {why}")),
            Self::Sent => "The event is forwarded.",
            Self::Disabled => "The subscription is disabled.",
            Self::OtherSource => "Not subscribed to this source.",
            Self::OtherType => "Not subscribed to this event type.",
            Self::Filtered => "The filter does not match.",
            Self::Loop => "The event comes from a message of this subscription: the loop ends here.",
            Self::Later => "Created or enabled after the event arrived.",
        })
    }
}

/// An event and its routing to each subscription. It is parsed once, however many filters read it.
pub struct Candidate<'a> {
    event: &'a OutgoingEvent,
    seq: Option<i64>,
    scope: OnceCell<Result<Scope, String>>,
}

impl<'a> Candidate<'a> {
    /// A candidate for `event`; `seq` is the position of its delivery, if it has one.
    #[must_use]
    pub const fn new(event: &'a OutgoingEvent, seq: Option<i64>) -> Self {
        Self { event, seq, scope: OnceCell::new() }
    }

    /// Its routing to `active`.
    #[must_use]
    pub fn routing(&self, active: &Active) -> Routing {
        let (compiled, event) = (&active.compiled, self.event);
        if !active.is_enabled() {
            Routing::Disabled
        } else if !compiled.takes_source(&event.source) {
            Routing::OtherSource
        } else if !compiled.takes_type(&event.event_type) {
            Routing::OtherType
        } else if event.lineage.len() > MOST_HOPS || event.lineage.iter().any(|id| id == compiled.id()) {
            Routing::Loop
        } else if self.seq.is_some_and(|seq| seq <= active.since) {
            Routing::Later
        } else if compiled.subscription.filters.is_none() {
            Routing::Sent
        } else {
            self.filtered(compiled)
        }
    }

    fn filtered(&self, compiled: &Compiled) -> Routing {
        let scope = self.scope.get_or_init(|| scope_of(self.event).map_err(|fault| fault.to_string()));
        let scope = match scope {
            Ok(scope) => scope,
            Err(why) => return Routing::FilterFailed(why.clone()),
        };
        let judgement = compiled.judge(&self.event.event_type, scope);
        match (judgement.matches, judgement.failure) {
            (true, _) => Routing::Sent,
            (false, Some(why)) => Routing::FilterFailed(why),
            (false, None) => Routing::Filtered,
        }
    }
}

/// A message for this subscription with this event.
#[must_use]
pub fn message_for(active: &Active, event: &OutgoingEvent) -> NewMessage {
    let subscription = &active.compiled.subscription;
    let in_order = if subscription.ordered { event.entity.clone() } else { None };
    NewMessage { subscription: subscription.id.clone(), in_order }
}

/// The result of routing an event.
#[derive(Debug, Default)]
pub struct Reach {
    /// Its messages.
    pub messages: Vec<NewMessage>,
    /// The subscriptions whose filter was evaluated, each with its error, if any.
    pub asked: Vec<(Arc<Active>, Option<String>)>,
}

impl Reach {
    /// Routes `event` to `actives`; `seq` is the position of its delivery, if it has one.
    #[must_use]
    pub fn of(actives: &[Arc<Active>], event: &OutgoingEvent, seq: Option<i64>) -> Self {
        let candidate = Candidate::new(event, seq);
        let mut reach = Self::default();
        for active in actives {
            let routing = candidate.routing(active);
            let has_filter = active.compiled.subscription.filters.is_some();
            match routing {
                Routing::Sent => reach.messages.push(message_for(active, event)),
                Routing::Filtered | Routing::FilterFailed(_) => {}
                _ => continue,
            }
            if has_filter {
                let why = if let Routing::FilterFailed(why) = routing { Some(why) } else { None };
                reach.asked.push((Arc::clone(active), why));
            }
        }
        reach
    }

    /// Records the filter results for `event`.
    pub fn note(&self, sender: &Sender, event: &OutgoingEvent) {
        for (active, why) in &self.asked {
            sender.evaluated(active.compiled.id(), Part::Filter, event, why.as_deref());
        }
    }

    /// A sentence for each failed filter.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.asked.iter().filter_map(|(active, why)| {
            let name = &active.compiled.subscription.name;
            why.as_ref().map(|why| format!("not sent to {name:?}: its filter failed on this event: {why}"))
        })
    }
}

/// The messages for `event`; also records the filter results.
#[must_use]
pub fn messages_for(sender: &Sender, actives: &[Arc<Active>], event: &OutgoingEvent) -> Vec<NewMessage> {
    let reach = Reach::of(actives, event, None);
    reach.note(sender, event);
    reach.messages
}

/// Tails the log until the program stops.
pub async fn run(sender: Sender) {
    let mut stopping = sender.stopping();
    let mut newest = sender.store().newest();
    let mut cursor = None;
    loop {
        newest.mark_unchanged();
        let stepped = match cursor {
            None => sender.store().fanout_cursor().await.map(|at| (at, true)),
            Some(at) => step(&sender, at).await.map(|next| (next, next != at)),
        };
        match stepped {
            Ok((next, is_more)) => {
                cursor = Some(next);
                if is_more {
                    continue;
                }
            }
            Err(fault) => {
                tracing::error!(%fault, "accepted deliveries cannot be fanned out; it is tried again");
                // An unavailable store must not keep the program from ending.
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => continue,
                    _ = stopping.wait_for(|stop| *stop) => return,
                }
            }
        }
        tokio::select! {
            changed = newest.changed() => if changed.is_err() { return },
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

/// One step from `cursor`: reads accepted deliveries, writes the messages, moves the cursor. Returns the new cursor.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn step(sender: &Sender, cursor: i64) -> Result<i64, StoreError> {
    let actives = sender.subscriptions().all();
    let enabled: Vec<_> = actives.into_iter().filter(|active| active.is_enabled()).collect();
    // Deliveries older than every subscription go nowhere: without subscriptions the log is not read.
    let Some(oldest) = enabled.iter().map(|active| active.since).min() else {
        return Ok(cursor);
    };
    let step = (STEP_MESSAGES / enabled.len().max(1)).clamp(1, STEP);
    let (found, through) = sender.store().unfanned(cursor.max(oldest), step, STEP_BYTES).await?;
    if through == cursor {
        return Ok(cursor);
    }
    let mut events = Vec::new();
    let mut targets = HashSet::new();
    for delivery in found {
        let seq = delivery.row.seq;
        for event in events_of(sender, delivery).await? {
            let reach = Reach::of(&enabled, &event, Some(seq));
            reach.note(sender, &event);
            if !reach.messages.is_empty() {
                targets.extend(reach.messages.iter().map(|message| message.subscription.clone()));
                events.push((event, reach.messages));
            }
        }
    }
    match sender.store().fan_out(FanOut { from: cursor, through, events }, sender.both()).await? {
        None => sender.store().fanout_cursor().await,
        Some(0) => Ok(through),
        Some(_) => {
            sender.wakeups().tell(targets.iter().map(String::as_str));
            Ok(through)
        }
    }
}

/// The events of a delivery: one, or those of its batch. Empty if its body can no longer be read as JSON.
///
/// # Errors
/// When the store cannot be read.
pub async fn events_of(sender: &Sender, found: FannedDelivery) -> Result<Vec<OutgoingEvent>, StoreError> {
    let FannedDelivery { row, headers, body } = found;
    let texts = sender.parts().sources.event_texts(&row.source, &headers, &body);
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let lineage = lineage(sender, &headers, &body).await?;
    let event = |EventText { text, of_batch }: EventText| {
        let (event_id, event_type, entity) = match of_batch {
            Some((said, entity)) => (Some(said.id), Some(canonical(sender, said.name)), entity),
            None => (row.event_id.clone(), row.event_type.clone(), row.entity.clone()),
        };
        OutgoingEvent {
            source: row.source.clone(),
            event_id,
            event_type: event_type.unwrap_or_else(|| UNNAMED.to_owned()),
            entity,
            received_at: row.received_at,
            body: text,
            delivery: Some(row.id),
            lineage: lineage.clone(),
        }
    };
    Ok(texts.into_iter().map(event).collect())
}

/// The canonical name for an alias.
fn canonical(sender: &Sender, name: String) -> String {
    sender.catalog().resolve(&name).map_or(name, |known| known.name().to_owned())
}

/// The subscriptions that led to a delivery, if it carries one of our own message ids. The id is in a header or a mark
/// in the body, since some systems drop headers.
async fn lineage(sender: &Sender, headers: &Headers, body: &[u8]) -> Result<Vec<String>, StoreError> {
    let in_header = |name: &&str| {
        let id = headers.get(name).and_then(|value| std::str::from_utf8(value).ok())?;
        id.trim().parse::<MessageId>().ok()
    };
    let in_headers = ID_HEADERS.iter().filter_map(in_header);
    let mut lineage = Vec::new();
    for id in in_headers.chain(MessageId::marked_in(body, MOST_MARKS)) {
        let Some((target, before)) = sender.store().made_by(id).await? else { continue };
        for subscription in before.into_iter().chain([target]) {
            if !lineage.contains(&subscription) {
                lineage.push(subscription);
            }
        }
    }
    Ok(lineage)
}
