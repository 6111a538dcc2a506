//! Creates messages from accepted deliveries, by tailing the log from a stored cursor.

use std::collections::HashSet;
use std::time::Duration;

use crate::domain::{Headers, MessageId, OutgoingEvent};
use crate::payload::EventText;
use crate::send::state::{Duty, Sender};
use crate::send::subscriptions::Reach;
use crate::store::{FanOut, LoggedDelivery, StoreError};

/// The most deliveries of one step.
pub const STEP: usize = 256;
/// The most messages of one step, except for those of a last delivery. Incoming deliveries wait for the step.
const STEP_MESSAGES: usize = 512;
/// The most bytes of bodies in one step, except for the last body.
const STEP_BYTES: usize = 16 * 1024 * 1024;
/// The pause after a store error.
const PAUSE: Duration = Duration::from_millis(500);
/// Headers in which a message id can return to us.
const ID_HEADERS: [&str; 3] = ["x-tagorun-batch-carries", "x-tagorun-message-id", "webhook-id"];
/// The most marks looked up per body.
const MOST_MARKS: usize = 8;
/// The name of an event without a name.
const UNNAMED: &str = "unknown";

/// The result of one step.
#[derive(Clone, Copy, Debug)]
pub struct Stepped {
    /// The cursor after it.
    pub cursor: i64,
    /// Whether another step may follow at once.
    pub is_more: bool,
    /// The most deliveries that the next step reads.
    pub next: usize,
}

/// Tails the log until the program stops. One node at a time does so.
pub async fn run(sender: Sender) {
    let mut stopping = sender.stopping();
    let mut newest = sender.store().newest();
    let mut revision = sender.followed().revision();
    let mut duty = Duty::new("fan-out");
    let mut cursor = None;
    let mut most = STEP;
    let mut turns = sender.store().turns();
    loop {
        newest.mark_unchanged();
        // A standby that took over may lack the last moves of the cursor.
        let before = std::mem::replace(&mut turns, sender.store().turns());
        cursor = cursor.filter(|_| before == turns);
        revision.mark_unchanged();
        if !duty.is_ours(&sender).await {
            cursor = None;
            tokio::select! {
                () = tokio::time::sleep(Duty::PAUSE) => continue,
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
        let stepped = match cursor {
            None => {
                let cursor = sender.store().fanout_cursor().await;
                cursor.map(|cursor| Stepped { cursor, is_more: true, next: most })
            }
            Some(at) => step(&sender, at, most).await,
        };
        match stepped {
            Ok(Stepped { cursor: reached, is_more, next }) => {
                // A step that went nowhere: the store does not let this node write until it knows the last change.
                let is_refused = is_more && cursor == Some(reached);
                cursor = Some(reached);
                most = next;
                if is_refused {
                    sender.followed().ask();
                } else if is_more {
                    continue;
                }
            }
            Err(fault) => {
                tracing::error!(%fault, "accepted deliveries cannot be fanned out; it is tried again");
                // A database that was taken over may lack the last move of the cursor.
                cursor = None;
                // An unavailable store must not keep the program from ending.
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => continue,
                    _ = stopping.wait_for(|stop| *stop) => return,
                }
            }
        }
        // The task is kept while nothing happens.
        while duty.is_ours(&sender).await {
            tokio::select! {
                changed = newest.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    break;
                }
                // A new subscription may be the first one, for which the log is read.
                _ = revision.changed() => break,
                () = tokio::time::sleep(Duty::PAUSE) => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }
}

/// One step from `cursor`: reads accepted deliveries, at most `most`, writes the messages, moves the cursor.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn step(sender: &Sender, cursor: i64, most: usize) -> Result<Stepped, StoreError> {
    // Before the subscriptions are read: they are at least as new.
    let revision = *sender.followed().revision().borrow();
    let actives = sender.subscriptions().all();
    let enabled = actives.iter().filter(|active| active.is_enabled());
    // Deliveries older than every subscription go nowhere: without subscriptions the log is not read.
    let Some(oldest) = enabled.map(|active| active.since).min() else {
        return Ok(Stepped { cursor, is_more: false, next: most });
    };
    let (found, mut through) = sender.store().unfanned(cursor.max(oldest), most, STEP_BYTES).await?;
    if through == cursor {
        return Ok(Stepped { cursor, is_more: false, next: most });
    }
    let mut events = Vec::new();
    let mut messages = 0_usize;
    let (read, mut used) = (found.len(), 0_usize);
    let mut targets = HashSet::new();
    for delivery in found {
        used = used.saturating_add(1);
        // Another instance forwarded what is imported.
        if delivery.row.id.is_imported() {
            continue;
        }
        let seq = delivery.row.seq;
        for event in events_of(sender, delivery).await? {
            let reach = Reach::of(&actives, &event, Some(seq));
            sender.note_filters(&reach, &event);
            if !reach.messages.is_empty() {
                messages = messages.saturating_add(reach.messages.len());
                targets.extend(reach.messages.iter().map(|message| message.subscription.clone()));
                events.push((event, reach.messages));
            }
        }
        if messages >= STEP_MESSAGES {
            through = seq;
            break;
        }
    }
    let fan_out = FanOut { revision, from: cursor, through, events };
    let cursor = match sender.store().fan_out(fan_out, sender.both()).await? {
        // Another node did it, or changed subscriptions.
        None => sender.store().fanout_cursor().await?,
        Some(made) => {
            if made > 0 {
                sender.wakeups().tell(targets.iter().map(String::as_str));
            }
            through
        }
    };
    Ok(Stepped { cursor, is_more: true, next: most_of_next(most, read, used) })
}

/// The most deliveries that the next step reads: as many as this one used, or twice as many if it used all that it had
/// read. Where one delivery goes to a thousand subscriptions, a step uses one.
const fn most_of_next(most: usize, read: usize, used: usize) -> usize {
    let next = if used < read { used } else { most.saturating_mul(2) };
    if next > STEP { STEP } else { next }
}

/// The events of a delivery: one, or those of its batch. Empty if its body can no longer be read as JSON.
///
/// # Errors
/// When the store cannot be read.
pub async fn events_of(sender: &Sender, found: LoggedDelivery) -> Result<Vec<OutgoingEvent>, StoreError> {
    let LoggedDelivery { row, headers, body } = found;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_at_most_twice_what_the_one_before_it_used() {
        assert_eq!(most_of_next(STEP, STEP, 1), 1, "each delivery went to a crowd");
        assert_eq!(most_of_next(1, 1, 1), 2);
        assert_eq!(most_of_next(2, 2, 1), 1);
        assert_eq!(most_of_next(200, 200, 200), STEP);
        assert_eq!(most_of_next(STEP, 3, 3), STEP, "there was no more");
    }
}
