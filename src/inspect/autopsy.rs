//! Why a stored delivery's signature did not hold. Computed when somebody looks, with the secrets of now.

use super::ClientRepeat;
use super::cause::cause;
use super::hints::hints;
use super::not_json::signed_with_its_end;
use crate::domain::{BodyEnd, Reason, Source, StoredDelivery};
use crate::signing::diagnose::{self, Autopsy, Known, Suspect};

/// What is found out about a delivery when somebody looks at it.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What its signature was made with.
    pub autopsy: Option<Autopsy>,
    /// Why it was refused, where that is known and not guessed: what is wrong, and how to mend it.
    pub cause: Option<String>,
    /// What it probably was meant to be.
    pub hints: Vec<String>,
    /// Whether a client, or a proxy, repeated a request by itself.
    pub client_repeat: Option<ClientRepeat>,
    /// What is known of its event's other deliveries.
    pub repeat: Option<String>,
}

impl Findings {
    /// Looks into `delivery`, with the sources as they are now. Takes up to a second for a body of some megabytes.
    #[must_use]
    pub fn of(delivery: &StoredDelivery, sources: &[Source]) -> Self {
        let source = sources.iter().find(|source| source.name == delivery.row.source);
        let is_mismatch = delivery.row.reason == Some(Reason::SignatureMismatch);
        let certain = source.filter(|_| is_mismatch).and_then(|source| signed_with_its_end(delivery, source));
        if let Some(certain) = certain {
            // What is certain leaves nothing to be tried.
            return Self { hints: vec![certain], ..Self::default() };
        }
        let cause = cause(delivery);
        if cause.is_some() {
            return Self { cause, ..Self::default() };
        }
        let hints = hints(delivery, sources);
        Self { autopsy: autopsy(delivery, sources), hints, ..Self::default() }
    }
}

/// What the signature of a refused delivery was made with, where its signature is why it was refused and it holds anything
/// that could be one.
fn autopsy(delivery: &StoredDelivery, sources: &[Source]) -> Option<Autopsy> {
    let reason = delivery.row.reason?;
    let source = sources.iter().find(|source| source.name == delivery.row.source)?;
    if !reason.is_about_signature() || reason == Reason::Stale {
        return None;
    }
    if delivery.body_end != BodyEnd::Complete {
        let sentence = "Not all of the body is here, so its signature cannot be looked into.".to_owned();
        return Some(Autopsy { variant: None, sentence, tried: 0 });
    }
    diagnose::diagnose(&Suspect {
        scheme: source.signature.scheme,
        tolerance: source.signature.tolerance,
        received_at: delivery.row.received_at,
        secrets: Known::of_all(sources, &source.name),
        method: &delivery.row.method,
        path: &delivery.row.path,
        headers: &delivery.headers,
        body: &delivery.body,
    })
}
