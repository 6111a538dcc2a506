//! One request of claimed messages: rendered, signed, sent, and what comes after it.

use std::sync::Arc;

use bytes::Bytes;

use super::client::{MAX_ANSWER, Outcome, Response};
use super::outcome::{self, Terms};
use super::request::{Envelope, Payload, Unsendable, outgoing};
use super::scope::Scope;
use super::sender::Sender;
use super::subscriptions::Active;
use crate::domain::{Attempt, AttemptError, ClaimedMessage, MessageId, Timestamp};
use crate::store::{Next, Settlement};

/// Sends one message, or several as a batch, through the subscription they are claimed for, as it now is.
pub async fn send(sender: &Sender, messages: Vec<ClaimedMessage>) -> Vec<Settlement> {
    let target = messages.first().and_then(|message| sender.subscriptions().get(&message.target));
    let mut settlements = Vec::new();
    let mut ready = Vec::new();
    for message in messages {
        let is_orphan = sender.subscriptions().get(&message.subscription).is_none();
        match &target {
            Some(active) if !is_orphan => match Payload::for_sending(&active.compiled, &message.event) {
                Ok((payload, scope)) => ready.push(Ready { message, payload, scope }),
                Err(unsendable) => settlements.push(unsent(sender, active, message, None, unsendable)),
            },
            _ => settlements.push(without_target(sender, message, is_orphan)),
        }
    }
    if let Some(active) = target.filter(|_| !ready.is_empty()) {
        let is_batch = active.compiled.subscription.batch.is_some();
        settlements.extend(request(sender, &active, ready, is_batch).await);
    }
    settlements
}

/// A message that can be sent.
struct Ready {
    message: ClaimedMessage,
    payload: Payload,
    scope: Scope,
}

async fn request(
    sender: &Sender,
    active: &Arc<Active>,
    ready: Vec<Ready>,
    is_batch: bool,
) -> Vec<Settlement> {
    let Some(first) = ready.first() else { return Vec::new() };
    let now = sender.now();
    let message_id = if is_batch { MessageId::new_at(now) } else { first.message.id }.to_string();
    let envelope = Envelope {
        message_id: &message_id,
        event_id: first.message.event.event_id.as_deref().filter(|_| !is_batch),
        attempt: number(&first.message),
        batch_size: is_batch.then_some(ready.len()),
    };
    let body = if is_batch { array(&ready) } else { first.payload.body.clone() };
    let request = match outgoing(&active.compiled, &first.scope, &envelope, body, now) {
        Ok(request) => request,
        Err(unsendable) => {
            return ready
                .into_iter()
                .map(|ready| unsent(sender, active, ready.message, Some(ready.payload), unsendable.clone()))
                .collect();
        }
    };
    let outcome = sender.parts().client.send(request).await;
    let statuses = if is_batch { item_statuses(&outcome, ready.len()) } else { None };
    let mut settlements = Vec::new();
    for (at, Ready { message, payload, .. }) in ready.into_iter().enumerate() {
        let own = statuses.as_ref().and_then(|statuses| statuses.get(at)).copied();
        let attempt = attempt(&message, &payload, now, &outcome, own);
        settlements.push(settled(sender, active, message, attempt, payload.body));
    }
    settlements
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

/// The outcome of each item, where a 2xx answer tells it: `{"results": [{"status": 200}, …]}`.
fn item_statuses(outcome: &Outcome, items: usize) -> Option<Vec<u16>> {
    let response = outcome.result.as_ref().ok().filter(|response| (200..300).contains(&response.status))?;
    let told: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
    let results = told.get("results")?.as_array().filter(|results| results.len() == items)?;
    let status = |result: &serde_json::Value| match result.get("status") {
        Some(status) => status.as_u64().and_then(|status| u16::try_from(status).ok()),
        None => Some(response.status),
    };
    results.iter().map(status).collect()
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

/// An attempt that ended before anything was sent.
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
        started_at: sender.now(),
        duration_us: 0,
        status: None,
        error: Some(unsendable.error),
        error_detail: Some(unsendable.detail),
        response_headers: Vec::new(),
        response_body: Bytes::new(),
        response_truncated: false,
        missing: Vec::new(),
    };
    settled(sender, active, message, attempt, payload)
}

/// A message whose subscription is gone is cancelled; one whose fallback is gone goes back to its own.
fn without_target(sender: &Sender, message: ClaimedMessage, is_orphan: bool) -> Settlement {
    let now = sender.now();
    let back = given_back(message, now);
    if is_orphan { Settlement { next: Next::Cancelled, ..back } } else { back }
}

/// A message that is due again at once, without an attempt.
pub fn given_back(message: ClaimedMessage, now: Timestamp) -> Settlement {
    let ClaimedMessage { seq, id, subscription, .. } = message;
    Settlement { seq, id, subscription, attempt: None, next: Next::Retry(now), at: now }
}

fn settled(
    sender: &Sender,
    active: &Arc<Active>,
    message: ClaimedMessage,
    attempt: Attempt,
    payload: Bytes,
) -> Settlement {
    let now = sender.now();
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
        chance: rand::random(),
    };
    let next = outcome::after(&message, &attempt, terms, now);
    let ClaimedMessage { seq, id, subscription, .. } = message;
    Settlement { seq, id, subscription, attempt: Some(attempt), next, at: now }
}
