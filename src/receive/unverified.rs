//! What the body of a rejected delivery says about its event, for display only. It is unverified, and no decision uses
//! it.

use super::idempotency::Claimant;
use crate::domain::{BodyEnd, Delivery, EventFacts, Reason, Source, Target, Unverified};
use crate::payload::{POINTS_EVENT, Payload, Sent, event_name, read as read_payload};

/// Larger bodies are not read, since anyone may send them; in bytes.
const MAX_READ: usize = 64 * 1024;
/// The longest device name that is stored, in characters.
const MAX_NAME: usize = 100;

/// Reads what `delivery` says about its event. It was rejected for `reason` before its body was read. Its credentials
/// are already masked.
pub fn read(source: &Source, delivery: &Delivery, reason: Reason) -> Unverified {
    let is_unread = matches!(
        reason,
        Reason::IpNotAllowed
            | Reason::CredentialsMissing
            | Reason::CredentialsWrong
            | Reason::SignatureMissing
            | Reason::SignatureMalformed
            | Reason::SignatureMismatch
            | Reason::Stale
    );
    if !is_unread || delivery.body_end != BodyEnd::Complete || delivery.body.len() > MAX_READ {
        return Unverified::default();
    }
    let Ok(payload) = read_payload(source.signature.scheme, &delivery.headers, &delivery.body, MAX_READ)
    else {
        return Unverified::default();
    };
    let sent = Sent { target: Target::new(&delivery.path), headers: &delivery.headers };
    let named = event_name(source, sent, &payload.value).ok().and_then(|named| named.name);
    let event = named.or_else(|| payload.points.is_some().then(|| POINTS_EVENT.to_owned()));
    let facts = EventFacts { event_type: event.clone(), ..EventFacts::default() };
    let id = Claimant { source, sent, signed_id: None, payload: &payload }.id(&facts);
    let device = payload.entity_of(&source.entity, source.device.as_ref(), &delivery.headers, &delivery.path);
    let device_name = device.as_ref().and_then(|_| device_name(source, &payload));
    Unverified { event, id, device, device_name }
}

/// The name next to the device's id.
fn device_name(source: &Source, payload: &Payload<'_>) -> Option<String> {
    let (parent, _) = source.entity.rsplit_once('/')?;
    let name = payload.value.pointer(&format!("{parent}/name"))?.as_str()?;
    Some(name.chars().take(MAX_NAME).collect()).filter(|name: &String| !name.trim().is_empty())
}
