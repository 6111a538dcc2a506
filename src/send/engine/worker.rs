//! One request of claimed messages: renders, signs and sends it, and decides the next step.

use std::sync::Arc;

use bytes::Bytes;
use tracing::{Instrument as _, Span};

use super::outcome::{self, Terms};
use crate::domain::{Attempt, AttemptError, Batch, ClaimedMessage, MessageId, Now, Timestamp};
use crate::send::state::{Part, Sender};
use crate::send::subscriptions::{Active, BatchEnvelope, Envelope, Lines, Payload, Unsendable, outgoing};
use crate::send::wire::{MAX_ANSWER, Outcome, Response};
use crate::store::{Next, Settlement};
use crate::telemetry::traces;

/// The status of an item whose reported number is not a status.
const NO_STATUS: u16 = 0;

/// The result of one request.
#[derive(Default)]
pub struct Sent {
    /// The outcome of each message.
    pub settlements: Vec<Settlement>,
    /// Whether the endpoint itself responded that it is gone. A single batch item that is gone does not mean that.
    pub is_gone: bool,
    /// The size of the body in bytes, if it was a batch that the endpoint rejected as too large.
    pub too_large: Option<usize>,
}

/// Sends one message, or several as a batch, through their subscription in its current form. A batch contains as many
/// messages as fit into its byte limit and into `narrow`.
pub async fn send(sender: &Sender, messages: Vec<ClaimedMessage>, narrow: usize) -> Sent {
    let target = messages.first().and_then(|message| sender.subscriptions().get(&message.target));
    let mut settlements = Vec::new();
    let mut ready = Vec::new();
    for message in messages {
        let is_orphan = sender.subscriptions().get(&message.subscription).is_none();
        match &target {
            Some(active) if !is_orphan => match rendered(sender, active, &message) {
                Ok((payload, headers)) => ready.push(Ready { message, payload, headers }),
                Err(unsendable) => settlements.push(unsent(sender, active, message, None, unsendable)),
            },
            _ => settlements.push(without_target(sender, message, is_orphan)),
        }
    }
    let Some(active) = target.filter(|_| !ready.is_empty()) else {
        return Sent { settlements, is_gone: false, too_large: None };
    };
    let batch = active.compiled.subscription.batch;
    if let Some(batch) = batch {
        let now = sender.both();
        let (mut same, others) = alike(ready);
        let surplus = same.split_off(fitting(&same, batch.max_bytes.min(narrow)));
        ready = same;
        settlements.extend(surplus.into_iter().chain(others).map(|ready| Settlement {
            next: Next::Retry(waited(batch, now)),
            ..given_back(ready.message, now)
        }));
    }
    let mut sent = request(sender, &active, ready, batch).await;
    sent.settlements.extend(settlements);
    sent
}

/// Splits off messages whose header lines differ from the first one: a request has one value per header.
fn alike(ready: Vec<Ready>) -> (Vec<Ready>, Vec<Ready>) {
    let first = ready.first().map(|ready| ready.headers.clone());
    ready.into_iter().partition(|ready| Some(&ready.headers) == first.as_ref())
}

/// How many messages fit into a batch of at most `most` bytes; at least one.
fn fitting(ready: &[Ready], most: usize) -> usize {
    let mut bytes = 1_usize;
    let fits = |ready: &&Ready| {
        // With its comma or the closing bracket.
        bytes = bytes.saturating_add(ready.payload.body.len()).saturating_add(1);
        bytes <= most
    };
    ready.iter().take_while(fits).count().max(1)
}

/// Due at once: it has already waited for others.
fn waited(batch: Batch, now: Now) -> Timestamp {
    now.due.minus(batch.flush_interval)
}

/// The payload and header lines of a message. The template result is recorded at the first attempt.
fn rendered(
    sender: &Sender,
    active: &Active,
    message: &ClaimedMessage,
) -> Result<(Payload, Lines), Unsendable> {
    let rendered = Payload::for_sending(&active.compiled, &message.event, message.id);
    if message.attempts == 0 && active.compiled.has_templates() {
        let failure = match &rendered {
            Ok((payload, _)) => payload.errors.first(),
            Err(unsendable) => Some(&unsendable.detail),
        };
        let failure = failure.map(String::as_str);
        sender.evaluated(active.compiled.id(), Part::Template, &message.event, failure);
    }
    rendered
}

/// A message that can be sent.
struct Ready {
    message: ClaimedMessage,
    payload: Payload,
    headers: Lines,
}

async fn request(sender: &Sender, active: &Arc<Active>, ready: Vec<Ready>, batch: Option<Batch>) -> Sent {
    let none = Sent { settlements: Vec::new(), is_gone: false, too_large: None };
    let Some(first) = ready.first() else { return none };
    let is_batch = batch.is_some();
    let now = sender.wall();
    let message_id = if is_batch { MessageId::new_at(now) } else { first.message.id }.to_string();
    let envelope = Envelope {
        message_id: &message_id,
        event_id: first.message.event.event_id.as_deref().filter(|_| !is_batch),
        attempt: number(&first.message),
        batch: is_batch.then(|| BatchEnvelope { size: ready.len(), carries: farthest(&ready) }),
    };
    let body = if is_batch { array(&ready) } else { first.payload.body.clone() };
    let request = match outgoing(&active.compiled, first.headers.clone(), &envelope, body, now) {
        Ok(request) => request,
        Err(unsendable) => {
            let unsent =
                |ready: Ready| unsent(sender, active, ready.message, Some(ready.payload), unsendable.clone());
            return Sent { settlements: ready.into_iter().map(unsent).collect(), ..none };
        }
    };
    let bytes = request.body.len();
    let spans: Vec<Span> = ready.iter().map(|ready| span(&ready.message)).collect();
    let span = spans.first().cloned().unwrap_or_else(Span::none);
    let outcome = sender.parts().client.send(request).instrument(span).await;
    let statuses = if is_batch { item_statuses(&outcome, ready.len()) } else { None };
    let items = ready.len();
    let too_large = batch.filter(|_| items > 1 && is_too_large(&outcome));
    // One value for all: messages that fail together are retried together, in order.
    let (ended, chance) = (sender.both(), rand::random());
    let mut settlements = Vec::new();
    for (at, Ready { message, payload, .. }) in ready.into_iter().enumerate() {
        let own = statuses.as_ref().and_then(|statuses| statuses.get(at)).copied();
        let mut attempt = attempt(&message, &payload, now, &outcome, own);
        let settlement = match too_large {
            Some(batch) => {
                attempt.error_detail = Some(format!(
                    "the batch of {items} events, {bytes} bytes, is too large for the endpoint: half of it is sent at \
                     once; this attempt does not count"
                ));
                let next = Next::Smaller(waited(batch, ended));
                Settlement { attempt: Some(attempt), next, ..given_back(message, ended) }
            }
            None => settled(sender, active, message, attempt, payload.body, (ended, chance)),
        };
        if let (Some(span), Some(attempt)) = (spans.get(at), &settlement.attempt) {
            traces::attempted(span, attempt, settlement.next.as_str());
        }
        settlements.push(settlement);
    }
    let is_gone = outcome.result.is_ok_and(|response| outcome::is_gone(response.status));
    Sent { settlements, is_gone, too_large: too_large.map(|_| bytes) }
}

fn span(message: &ClaimedMessage) -> Span {
    let event = message.event.event_id.as_deref();
    traces::attempt_span(&message.id.to_string(), &message.target, event, number(message))
}

/// "Content Too Large" (RFC 9110, 15.5.14).
fn is_too_large(outcome: &Outcome) -> bool {
    outcome.result.as_ref().is_ok_and(|response| response.status == 413)
}

/// The message with the longest lineage: with its id, our own receiver recognises the batch, and a loop ends.
fn farthest(ready: &[Ready]) -> Option<MessageId> {
    ready.iter().max_by_key(|ready| ready.message.event.lineage.len()).map(|ready| ready.message.id)
}

fn number(message: &ClaimedMessage) -> u32 {
    message.attempts.saturating_add(1)
}

/// The payloads in order, as one JSON array.
fn array(ready: &[Ready]) -> Bytes {
    let mut body = vec![b'['];
    for (at, ready) in ready.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&ready.payload.body);
    }
    body.push(b']');
    Bytes::from(body)
}

/// The outcome of each item, if a 2xx response contains it: `{"results": [{"status": 200}, …]}`.
fn item_statuses(outcome: &Outcome, items: usize) -> Option<Vec<u16>> {
    let response = outcome.result.as_ref().ok().filter(|response| (200..300).contains(&response.status))?;
    let told: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
    let results = told.get("results")?.as_array().filter(|results| results.len() == items)?;
    Some(results.iter().map(|result| item_status(result).unwrap_or(response.status)).collect())
}

/// The reported status of an item. A number that is not a status means that the item was not accepted; any other value
/// means nothing.
fn item_status(result: &serde_json::Value) -> Option<u16> {
    let told = match result.get("status")? {
        serde_json::Value::Number(number) => number.as_f64()?,
        serde_json::Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Some((0..1_000).find(|status| f64::from(*status) == told).unwrap_or(NO_STATUS))
}

fn attempt(
    message: &ClaimedMessage,
    payload: &Payload,
    started_at: Timestamp,
    outcome: &Outcome,
    own_status: Option<u16>,
) -> Attempt {
    let mut attempt = Attempt {
        number: number(message),
        target: message.target.clone(),
        started_at,
        duration_us: u64::try_from(outcome.elapsed.as_micros()).unwrap_or(u64::MAX),
        status: None,
        error: None,
        error_detail: None,
        response_headers: Vec::new(),
        response_body: Bytes::new(),
        response_truncated: false,
        missing: payload.missing.clone(),
    };
    match &outcome.result {
        Ok(response) => take_answer(&mut attempt, response, own_status),
        Err(failure) => {
            attempt.error = Some(failure.error);
            attempt.error_detail = Some(failure.detail.clone());
        }
    }
    if attempt.error_detail.is_none() && !payload.errors.is_empty() {
        attempt.error_detail = Some(payload.errors.join("; "));
    }
    attempt
}

fn take_answer(attempt: &mut Attempt, response: &Response, own_status: Option<u16>) {
    let status = own_status.unwrap_or(response.status);
    attempt.status = Some(status);
    attempt.response_headers.clone_from(&response.headers);
    attempt.response_truncated = response.truncated || response.body.len() > MAX_ANSWER;
    attempt.response_body = response.body.slice(..response.body.len().min(MAX_ANSWER));
    if (300..400).contains(&status) {
        attempt.error = Some(AttemptError::Redirect);
        attempt.error_detail = Some(format!("HTTP {status}; redirects are never followed"));
    }
}

/// The outcome of an attempt that ended before anything was sent.
fn unsent(
    sender: &Sender,
    active: &Arc<Active>,
    message: ClaimedMessage,
    payload: Option<Payload>,
    unsendable: Unsendable,
) -> Settlement {
    let payload = payload.map_or_else(|| message.event.body.clone(), |payload| payload.body);
    let attempt = Attempt {
        number: number(&message),
        target: message.target.clone(),
        started_at: sender.wall(),
        duration_us: 0,
        status: None,
        error: Some(unsendable.error),
        error_detail: Some(unsendable.detail),
        response_headers: Vec::new(),
        response_body: Bytes::new(),
        response_truncated: false,
        missing: Vec::new(),
    };
    settled(sender, active, message, attempt, payload, (sender.both(), rand::random()))
}

/// A message whose subscription is gone is cancelled, or waits if the subscription is only out of force. If only its
/// fallback is gone, it returns to its own subscription.
fn without_target(sender: &Sender, message: ClaimedMessage, is_orphan: bool) -> Settlement {
    let back = given_back(message, sender.both());
    if is_orphan { Settlement { next: Next::Cancelled, ..back } } else { back }
}

/// A message that is due again at once, without an attempt.
pub fn given_back(message: ClaimedMessage, now: Now) -> Settlement {
    let ClaimedMessage { seq, id, claim, subscription, .. } = message;
    Settlement { seq, id, claim, subscription, attempt: None, next: Next::Retry(now.due), at: now }
}

fn settled(
    sender: &Sender,
    active: &Arc<Active>,
    message: ClaimedMessage,
    attempt: Attempt,
    payload: Bytes,
    (now, chance): (Now, f64),
) -> Settlement {
    let fallback = sender.subscriptions().fallback_of(active).map(|fallback| {
        let in_order =
            if fallback.compiled.subscription.ordered { message.event.entity.clone() } else { None };
        (fallback.compiled.id().to_owned(), in_order)
    });
    let terms = Terms {
        policy: &active.compiled.subscription.retry_policy,
        fallback,
        url: &active.compiled.subscription.url,
        payload,
        chance,
    };
    let next = outcome::after(&message, &attempt, terms, now);
    let ClaimedMessage { seq, id, claim, subscription, .. } = message;
    Settlement { seq, id, claim, subscription, attempt: Some(attempt), next, at: now }
}
