//! Checks one stored delivery again, with the receiver's own checks.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::domain::{
    Arrival, BodyEnd, ClientAddress, Credential, Decision, DeliveryId, Entry, Gate, Header, Headers, Outcome,
    Reason, Source, StoredDelivery, Transfer, Verdict,
};
use crate::receive::{Masking, Receiver};

/// The result of the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// Every check passes. Whether its event is new is decided by the store and not asked again.
    Passes,
    /// A check refuses it.
    Refused(Reason),
}

/// A delivery that gets another result by the draft, or becomes another event.
#[derive(Clone, Debug)]
pub struct Flip {
    /// The delivery.
    pub id: DeliveryId,
    /// The result on its arrival.
    pub before: Side,
    /// The result by the draft.
    pub after: Side,
    /// The check that decides now; `None` if all pass.
    pub gate: Option<Gate>,
    /// The value that this check saw; if all pass, the event that it would be.
    pub seen: String,
}

/// The result on its arrival; `None` if it was not checked.
pub fn before(delivery: &StoredDelivery) -> Option<Side> {
    match (delivery.row.verdict, delivery.row.reason) {
        (Verdict::Captured | Verdict::Handshake, _) => None,
        // The checks passed; the store found its id taken.
        (Verdict::Accepted | Verdict::Duplicate, _) | (_, Some(Reason::IdConflict)) => Some(Side::Passes),
        (Verdict::Rejected, Some(reason)) => Some(Side::Refused(reason)),
        (Verdict::Rejected, None) => None,
    }
}

/// An event that passes every check.
pub struct Passed {
    /// Its id, if it has one.
    pub event_id: Option<String>,
}

/// Whether `receiver` lets a rejected delivery from `client` pass, at the time of its arrival.
pub fn passes(
    delivery: &StoredDelivery,
    client: ClientAddress,
    receiver: &Receiver,
    masking: &Masking,
) -> Option<Passed> {
    let source = receiver.sources().iter().find(|source| source.name == delivery.row.source)?;
    if !matches!(before(delivery), Some(Side::Refused(_))) || is_cut(delivery) {
        return None;
    }
    let judged = judge(delivery, client, receiver, source, masking);
    let is_rejected = matches!(judged.decision, Decision::Reject(_));
    (!is_rejected).then_some(Passed { event_id: judged.facts.event_id })
}

/// Judges `delivery` at the time of its arrival. `None`: the result is the same.
pub fn flip(
    delivery: &StoredDelivery,
    before: &Side,
    receiver: &Receiver,
    source: &Source,
    masking: &Masking,
) -> Option<Flip> {
    let judged = judge(delivery, delivery.client.clone(), receiver, source, masking);
    let after = match judged.decision {
        Decision::Reject(reason) => Side::Refused(reason),
        Decision::Accept(_) | Decision::Capture(_) | Decision::Handshake(_) | Decision::Import(_) => {
            Side::Passes
        }
    };
    let row = &delivery.row;
    let was = event(row.event_type.as_deref(), row.event_id.as_deref());
    let is = event(judged.facts.event_type.as_deref(), judged.facts.event_id.as_deref());
    if after == *before && (after != Side::Passes || was == is) {
        return None;
    }
    let failed = judged.checks.into_iter().find(|check| check.outcome == Outcome::Fail);
    let (gate, seen) = match failed {
        Some(check) => (Some(check.gate), check.seen),
        None if after == *before => (None, format!("{is}, before: {was}")),
        None => (None, is),
    };
    Some(Flip { id: row.id, before: before.clone(), after, gate, seen })
}

fn judge(
    delivery: &StoredDelivery,
    client: ClientAddress,
    receiver: &Receiver,
    source: &Source,
    masking: &Masking,
) -> Entry {
    let arrival = Arrival { client, ..arrival(delivery, source, masking) };
    receiver.judge(&source.name, arrival, delivery.row.received_at, Instant::now()).entry
}

/// An event in words.
fn event(name: Option<&str>, id: Option<&str>) -> String {
    let name = name.unwrap_or("unknown");
    id.map_or_else(|| format!("event {name}, no id"), |id| format!("event {name}, id {id}"))
}

/// The request as it arrived, as far as it is stored. A received credential is stored as its keyed hash; if that is the hash
/// of one of the source's own credentials, that one is used instead.
fn arrival(delivery: &StoredDelivery, source: &Source, masking: &Masking) -> Arrival {
    let known: Vec<(Header, Headers)> = source
        .credentials
        .iter()
        .flat_map(lines)
        .map(|line| {
            let more = [line.name.clone()];
            let masked = masking.headers(std::iter::once(line.clone()).collect(), &more);
            (line, masked)
        })
        .collect();
    let unmasked = |header: &Header| {
        let is_it = |(line, masked): &&(Header, Headers)| {
            line.name.eq_ignore_ascii_case(&header.name)
                && masked.iter().any(|masked| masked.value == header.value)
        };
        let value =
            known.iter().find(is_it).map_or_else(|| header.value.clone(), |(line, _)| line.value.clone());
        Header { name: header.name.clone(), value }
    };
    Arrival {
        id: delivery.row.id,
        received_at: delivery.row.received_at,
        method: delivery.row.method.clone(),
        target: delivery.row.path.clone(),
        http_version: if delivery.http_version == "HTTP/1.0" { "HTTP/1.0" } else { "HTTP/1.1" },
        client: delivery.client.clone(),
        connection: delivery.connection,
        headers: delivery.headers.iter().map(unmasked).collect(),
        body: delivery.body.clone(),
        body_end: delivery.body_end,
        transfer: Transfer::default(),
    }
}

/// The header lines that may present a credential.
fn lines(credential: &Credential) -> Vec<Header> {
    let line = |name: &str, value: Vec<u8>| Header { name: name.to_owned(), value };
    match credential {
        Credential::Bearer(token) => {
            vec![line("Authorization", [b"Bearer ", token.expose()].concat())]
        }
        Credential::Basic { username, password } => {
            let pair = [username.as_bytes(), b":", password.expose()].concat();
            [STANDARD.encode(&pair), STANDARD_NO_PAD.encode(&pair)]
                .map(|text| line("Authorization", format!("Basic {text}").into_bytes()))
                .into()
        }
        Credential::ApiKey { key, secret, header, secret_header } => {
            let mut lines = vec![line(header, key.expose().to_vec())];
            lines.extend(secret.iter().map(|secret| line(secret_header, secret.expose().to_vec())));
            lines
        }
    }
}

/// Whether a delivery cannot be judged again: its body is incomplete, although the size check passed then.
pub fn is_cut(delivery: &StoredDelivery) -> bool {
    delivery.body_end != BodyEnd::Complete
        && !matches!(
            delivery.row.reason,
            Some(
                Reason::TooLarge
                    | Reason::TooSlow
                    | Reason::Incomplete
                    | Reason::IpNotAllowed
                    | Reason::UnknownSource
            )
        )
}
