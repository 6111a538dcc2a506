//! The diagnosis of a platform's question: how it was answered, which line is missing, which link confirms it.

use super::told::Diagnosis;
use crate::domain::{Gate, Handshake, Reason, Source, StoredDelivery, Verdict};
use crate::receive::handshake::{Question, confirmation_link, recognise};

/// The platform whose question a delivery is.
#[must_use]
pub fn handshake_of(delivery: &StoredDelivery) -> Option<Handshake> {
    recognise(&Question {
        method: &delivery.row.method,
        target: &delivery.row.path,
        headers: &delivery.headers,
        body: &delivery.body,
    })
}

/// The link that confirms an address at AWS, where a delivery asks to open one.
#[must_use]
pub fn link_of(delivery: &StoredDelivery) -> Option<String> {
    let kind = handshake_of(delivery)?;
    let name = match kind {
        Handshake::AwsIot => "enableUrl",
        Handshake::AwsSns => "SubscribeURL",
        _ => return None,
    };
    let body: serde_json::Value = serde_json::from_slice(&delivery.body).ok()?;
    confirmation_link(kind, body.get(name)?.as_str()?)
}

/// The diagnosis of an answered question.
pub fn answered(delivery: &StoredDelivery) -> Diagnosis {
    let check = delivery.checks.iter().find(|check| check.gate == Gate::Payload);
    let seen = check.map_or("Handshake", |check| check.seen.as_str());
    let said = check.map(|check| check.notes.join("; ")).unwrap_or_default();
    let cause = format!("{seen}: {said}. It is not an event, so nothing is forwarded.");
    Diagnosis::new("handshake", Verdict::Handshake.headline(), cause)
}

/// The missing line, or another fix for a question that was not answered.
pub fn hint(delivery: &StoredDelivery, sources: &[Source]) -> Option<Diagnosis> {
    let source = sources.iter().find(|source| source.name == delivery.row.source)?;
    let configured = source.handshake.as_ref().map(|rule| rule.kind);
    let is_mismatch = delivery.row.reason == Some(Reason::SignatureMismatch);
    let kind = handshake_of(delivery)?;
    if configured == Some(kind) {
        return (kind == Handshake::Xero && is_mismatch).then(|| {
            let said = "It is part of Xero's handshake: Xero signs some requests wrongly on purpose, and 401 is the right response.";
            Diagnosis::new("handshake-xero", "Part of Xero's handshake", said).fix("Nothing to do.")
        });
    }
    if delivery.row.verdict == Verdict::Captured {
        return None;
    }
    let link = link_of(delivery);
    let cause =
        format!("This is the handshake of {}, which must be answered before it sends.", kind.sender());
    let told = Diagnosis::new("handshake-not-configured", "A handshake that is not configured", cause).line(
        format!("Add this line to source “{}”.", source.name),
        format!("handshake = \"{}\"", kind.as_str()),
    );
    Some(match link {
        Some(link) => told.line("Or open this link to confirm.", link),
        None => told,
    })
}
