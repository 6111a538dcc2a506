//! Gate 7: which event is it, so that it is taken once? The store decides; this gate makes the claim.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::trace::{Finding, Gated};
use crate::domain::{Claim, ClaimKey, EventFacts, Fault, Headers, Reason, Scheme, Source};
use crate::payload::{EventId, Payload, fitting, raw_at, read_id};

/// Headers that carry the id where the source asks for no signature.
const ID_HEADERS: [&str; 2] = ["webhook-id", "X-TagoRUN-Event-Id"];

const RULE: &str = "one event is taken once";

/// Finds the event's id and makes the claim that the store decides on. `facts` learns the id.
pub fn claim(
    source: &Source,
    headers: &Headers,
    payload: &Payload<'_>,
    facts: &mut EventFacts,
) -> Gated<Option<Claim>> {
    let id = match find_id(source, headers, payload) {
        Ok(id) => id,
        Err(fault) => {
            return Finding::new(fault.message.clone(), "a string up to 256 bytes, or an integer")
                .faults(vec![fault])
                .fail(Reason::InvalidId);
        }
    };
    if let EventId::Is(id) = &id {
        facts.event_id = Some(id.clone());
    }
    let body_digest: [u8; 32] = Sha256::digest(&payload.text).into();
    let (key, window, seen) = match (source.signature.scheme, id, &payload.points) {
        // The delivery id of GitHub is not signed: a replayed body would come in under a new one.
        (Scheme::Github, _, _) => (ClaimKey::Body(body_digest), None, "the digest of the body".to_owned()),
        (_, EventId::Is(id), _) => {
            let seen = format!("id {id}");
            (ClaimKey::Id(id), None, seen)
        }
        (_, EventId::Absent, Some(points)) if points.ids_digest.is_some() => {
            let digest = points.ids_digest.unwrap_or_default();
            (ClaimKey::Points(digest), None, format!("the ids of {} data points", points.count))
        }
        (_, EventId::Absent, _) => match source.dedupe_by_body {
            Some(window) => (ClaimKey::Body(body_digest), Some(window), body_window(window)),
            None => return without_id(source),
        },
    };
    Finding::new(seen, RULE).pass(Some(Claim { key, body_digest, window }))
}

/// The id alone, of an event that is refused.
pub fn id_of(source: &Source, headers: &Headers, payload: &Payload<'_>) -> Option<String> {
    match find_id(source, headers, payload) {
        Ok(EventId::Is(id)) => Some(id),
        Ok(EventId::Absent) | Err(_) => None,
    }
}

fn body_window(window: Duration) -> String {
    format!("no id; the digest of the body, for {} s", window.as_secs())
}

fn without_id(source: &Source) -> Gated<Option<Claim>> {
    Finding::new(format!("no id at {}", source.id_pointer), RULE)
        .note("no id: accepted, and never taken for a duplicate")
        .skip(None)
}

fn find_id(source: &Source, headers: &Headers, payload: &Payload<'_>) -> Result<EventId, Fault> {
    match source.signature.scheme {
        Scheme::StandardWebhooks => header_id(headers, &["webhook-id", "svix-id"]),
        Scheme::Github => header_id(headers, &["X-GitHub-Delivery"]),
        // The set of their ids decides about points, whatever a header says.
        _ if payload.points.as_ref().is_some_and(|points| points.ids_digest.is_some()) => Ok(EventId::Absent),
        scheme => {
            let pointer = source.id_pointer.as_str();
            let exact = || raw_at(&payload.text, pointer).map(str::to_owned);
            let id = read_id(payload.value.pointer(pointer), exact)
                .map_err(|message| Fault::new(pointer, message))?;
            match (id, scheme) {
                (EventId::Absent, Scheme::None) => header_id(headers, &ID_HEADERS),
                (id, _) => Ok(id),
            }
        }
    }
}

/// The id in the first of `names` that has one; an empty line is none.
fn header_id(headers: &Headers, names: &[&str]) -> Result<EventId, Fault> {
    let mut values = names.iter().flat_map(|name| headers.get_all(name));
    let Some(value) = values.find(|value| !value.is_empty()) else { return Ok(EventId::Absent) };
    match std::str::from_utf8(value) {
        Ok(id) => fitting(id.to_owned()),
        Err(_) => Err("Invalid id: not UTF-8".to_owned()),
    }
    .map_err(|message| Fault::new("", message))
}
