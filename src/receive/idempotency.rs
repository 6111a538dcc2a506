//! Gate 7: which event is it, so that it is accepted only once? The store decides; this gate creates the claim.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::trace::{Finding, Gated};
use crate::domain::json::pointer::value_at;
use crate::domain::{
    Claim, ClaimKey, DEFAULT_ID_POINTER, EventFacts, Fault, Headers, Platform, Reason, Scheme, Source, Target,
};
use crate::payload::{
    Batch, CloudMode, EventId, Payload, Points, Sent, cloud_attribute, cloud_id, cloud_member, fitting,
    raw_at, read_id, scoped,
};

/// Headers with the event id, for sources without a signature.
const ID_HEADERS: [&str; 2] = ["webhook-id", "X-TagoRUN-Event-Id"];

const RULE: &str = "one event is taken once";

/// The inputs of a claim.
pub struct Claimant<'r> {
    /// The rules.
    pub source: &'r Source,
    /// The request around the payload.
    pub sent: Sent<'r>,
    /// The id covered by the signature, for schemes that have one.
    pub signed_id: Option<&'r [u8]>,
    /// The payload.
    pub payload: &'r Payload<'r>,
}

impl Claimant<'_> {
    /// Finds the event's id and creates the claim that the store decides on. Records the id in `facts`.
    pub fn claim(&self, facts: &mut EventFacts) -> Gated<Option<Claim>> {
        let Self { source, payload, .. } = self;
        let scope = self.scope(facts);
        let id = match self.find_id() {
            Ok(id) => id,
            Err(fault) => {
                return Finding::new(fault.message.clone(), "a string up to 256 bytes, or an integer")
                    .faults(vec![fault])
                    .fail(Reason::InvalidId);
            }
        };
        let id = self.with_scope(id, &scope);
        facts.event_id.clone_from(&id);
        let body_digest: [u8; 32] = Sha256::digest(&payload.text).into();
        let scoped_digest = |digest| with_scope(digest, &scope);
        let mut also = None;
        let (key, window, seen) = match (source.signature.scheme, id, &payload.points) {
            // GitHub's delivery id is not signed: a replayed body would be accepted under a new id.
            (Scheme::Github, _, _) => {
                (ClaimKey::Body(scoped_digest(body_digest)), None, "the digest of the body".to_owned())
            }
            (_, Some(id), _) => {
                let seen = format!("id {id}");
                (ClaimKey::Id(id), None, seen)
            }
            (_, None, Some(points)) if points.ids_digest.is_some() => {
                let (scope, path) = self.points_scope(points, &scope);
                let key = ClaimKey::Points(with_scope(points.ids_digest.unwrap_or_default(), &scope));
                // Points from a fallback device have different ids.
                also = points.values_digest.map(|digest| ClaimKey::Values(with_scope(digest, &scope)));
                (key, None, points_seen(points.count, &path))
            }
            (_, None, _) if payload.batch.as_ref().is_some_and(|batch| !batch.0.is_empty()) => {
                let batch = payload.batch.as_ref();
                let digest = batch.and_then(Batch::ids_digest).unwrap_or_default();
                let count = batch.map_or(0, |batch| batch.0.len());
                (ClaimKey::Points(digest), None, format!("the ids of {count} events"))
            }
            (_, None, _) => match source.dedupe_by_body {
                Some(window) => {
                    (ClaimKey::Body(scoped_digest(body_digest)), Some(window), body_window(window))
                }
                None => return without_id(source),
            },
        };
        let finding = Finding::new(seen, RULE).pass(Some(Claim { key, also, body_digest, window }));
        match source.id_scope.words().as_slice() {
            [] => finding,
            words => finding.noted(format!("part of the event id: {}", words.join(" and "))),
        }
    }

    /// The id alone, for an event that is rejected.
    pub fn id(&self, facts: &EventFacts) -> Option<String> {
        self.with_scope(self.find_id().unwrap_or(EventId::Absent), &self.scope(facts))
    }

    /// The values that belong to the event's id, by the rules of its source.
    fn scope(&self, facts: &EventFacts) -> Vec<String> {
        let rule = self.source.id_scope;
        let name = || facts.event_type.clone().unwrap_or_default();
        let event = rule.event.then(name);
        event.into_iter().chain(rule.path.then(|| self.sent.target.below_source())).collect()
    }

    fn with_scope(&self, id: EventId, scope: &[String]) -> Option<String> {
        let EventId::Is(id) = id else { return None };
        let scope: Vec<&str> = scope.iter().map(String::as_str).collect();
        Some(scoped(&id, &scope))
    }

    /// Two Actions of one device post the same points to different paths. Points from a fallback device belong to the
    /// original path. A signature does not cover the path, so signed sources ignore it.
    fn points_scope(&self, points: &Points, scope: &[String]) -> (Vec<String>, String) {
        let mut scope = scope.to_vec();
        if self.source.signature.scheme != Scheme::None {
            return (scope, String::new());
        }
        let path = match points.given_up_url.as_deref().and_then(path_given_up) {
            Some(path) => path,
            None => self.sent.target.below_source(),
        };
        if !path.is_empty() && !self.source.id_scope.path {
            scope.push(path.clone());
        }
        (scope, path)
    }

    fn find_id(&self) -> Result<EventId, Fault> {
        let Self { source, payload, sent, .. } = self;
        match source.signature.scheme {
            Scheme::StandardWebhooks => self.signed_id.map_or(Ok(EventId::Absent), header_value_id),
            Scheme::Github => header_id(sent.headers, &["X-GitHub-Delivery"]),
            // The header is signed.
            Scheme::Platform(Platform::Twitch) => header_id(sent.headers, &["Twitch-Eventsub-Message-Id"]),
            _ if payload.batch.is_some() => Ok(EventId::Absent),
            // For points, the set of their ids decides, whatever a header says.
            _ if payload.points.as_ref().is_some_and(|points| points.ids_digest.is_some()) => {
                Ok(EventId::Absent)
            }
            scheme => {
                if source.id_pointer == DEFAULT_ID_POINTER
                    && let Some(id) = cloud_event_id(source, sent.headers, payload)?
                {
                    return Ok(id);
                }
                match (self.body_id()?, scheme) {
                    (EventId::Absent, Scheme::None) => header_id(sent.headers, &ID_HEADERS),
                    (id, _) => Ok(id),
                }
            }
        }
    }

    fn body_id(&self) -> Result<EventId, Fault> {
        let pointer = self.source.id_pointer.as_str();
        if pointer.is_empty() {
            return Ok(EventId::Absent);
        }
        let exact = || raw_at(&self.payload.text, pointer).map(str::to_owned);
        read_id(value_at(&self.payload.value, pointer), exact).map_err(|message| Fault::new(pointer, message))
    }
}

/// The path below the source in a URL that TagoIO gave up; a proxy may add its own path in front.
fn path_given_up(url: &str) -> Option<String> {
    let at = url.find("/webhook/")?;
    Some(Target::new(url.get(at..)?).below_source())
}

/// The id of a CloudEvent, if the request carries one.
fn cloud_event_id(
    source: &Source,
    headers: &Headers,
    payload: &Payload<'_>,
) -> Result<Option<EventId>, Fault> {
    let (id, of) = match CloudMode::at(source, headers) {
        Some(CloudMode::Binary) => (cloud_attribute(headers, "id"), cloud_attribute(headers, "source")),
        Some(CloudMode::Structured) => {
            let text = |name| cloud_member(&payload.value, name).map(str::to_owned);
            (text("id"), text("source"))
        }
        Some(CloudMode::Batch) | None => return Ok(None),
    };
    let Some(id) = id else { return Ok(None) };
    let id = fitting(id).map_err(|message| Fault::new("", message))?;
    Ok(match id {
        EventId::Is(id) => Some(EventId::Is(cloud_id(&id, of.as_deref()))),
        EventId::Absent => None,
    })
}

fn with_scope(digest: [u8; 32], scope: &[String]) -> [u8; 32] {
    if scope.iter().all(String::is_empty) {
        return digest;
    }
    let mut scoped = Sha256::new_with_prefix(digest);
    for part in scope {
        scoped.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        scoped.update(part.as_bytes());
    }
    scoped.finalize().into()
}

fn points_seen(count: usize, path: &str) -> String {
    match path {
        "" => format!("the ids of {count} data points"),
        path => format!("the ids of {count} data points, at the path {path}"),
    }
}

fn body_window(window: Duration) -> String {
    format!("no id; the digest of the body, for {} s", window.as_secs())
}

fn without_id(source: &Source) -> Gated<Option<Claim>> {
    let seen = match source.id_pointer.as_str() {
        "" => "no id".to_owned(),
        pointer => format!("no id at {pointer}"),
    };
    Finding::new(seen, RULE).note("no id: accepted, and never taken for a duplicate").skip(None)
}

/// The id in the first of `names` that has one; an empty line does not count.
fn header_id(headers: &Headers, names: &[&str]) -> Result<EventId, Fault> {
    let mut values = names.iter().flat_map(|name| headers.get_all(name));
    values.find(|value| !value.is_empty()).map_or(Ok(EventId::Absent), header_value_id)
}

fn header_value_id(value: &[u8]) -> Result<EventId, Fault> {
    match std::str::from_utf8(value) {
        Ok(id) => fitting(id.to_owned()),
        Err(_) => Err("Invalid id: not UTF-8".to_owned()),
    }
    .map_err(|message| Fault::new("", message))
}
