//! What is found out about a stored delivery when somebody looks at it, with the sources as they are then.

use std::sync::Arc;

use super::client_repeat::ClientRepeat;
use super::diagnosis::diagnose;
use super::not_json::signed_with_its_end;
use super::repeats::Repeats;
use super::told::Diagnosis;
use super::what_if::PassesToday;
use crate::domain::{BodyEnd, Cause, MaskKey, Reason, Source, StoredDelivery, Verdict};
use crate::payload::Sources;
use crate::signing::diagnose::{self, Autopsy, Known, Suspect};
use crate::store::Store;

/// What is found out about a delivery.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Why it became what it is.
    pub diagnosis: Diagnosis,
    /// What its signature was made with.
    pub autopsy: Option<Autopsy>,
    /// Whether a client or a proxy repeated a request automatically.
    pub client_repeat: Option<ClientRepeat>,
}

/// Looks into `delivery`, with the sources as they are now, on a thread where that may take its time: up to a second for a
/// body of some megabytes. The delivery has then the cause that was found.
///
/// `today` is what today's configuration would do with it, if that is known.
pub async fn look_into(
    store: &Store,
    sources: &Sources,
    mut delivery: Arc<StoredDelivery>,
    today: Option<PassesToday>,
) -> (Arc<StoredDelivery>, Findings) {
    // Without them the delivery itself still says what became of it.
    let repeats = Repeats::of(store, &delivery).await.unwrap_or_default();
    let client_repeat = ClientRepeat::find(store, &delivery).await.ok().flatten();
    let (in_force, max_body, masks) = (sources.all(), sources.max_body(), sources.clone());
    let looked_at = Arc::clone(&delivery);
    let look = move || {
        let repeat = repeats.diagnosis(&looked_at, &in_force, max_body);
        Findings::of(&looked_at, &in_force, masks.masks(), repeat, client_repeat)
    };
    let mut findings = match tokio::task::spawn_blocking(look).await {
        Ok(findings) => findings,
        Err(_) => Findings { diagnosis: diagnose(&delivery, &[], None), client_repeat, autopsy: None },
    };
    let diagnosis = match today {
        Some(today) => today.diagnosis(&delivery),
        None => findings.diagnosis,
    };
    let diagnosis = diagnosis.reached_at(sources.public().as_deref());
    findings.diagnosis = diagnosis;
    if let Some(cause) = findings.cause(delivery.row.verdict) {
        Arc::make_mut(&mut delivery).row.cause = Some(cause);
    }
    (delivery, findings)
}

impl Findings {
    /// `repeat` is why the event came again, where more is known than that it did.
    fn of(
        delivery: &StoredDelivery,
        sources: &[Source],
        masks: Option<&MaskKey>,
        repeat: Option<Diagnosis>,
        client_repeat: Option<ClientRepeat>,
    ) -> Self {
        let autopsy = autopsy(delivery, sources, masks);
        let is_certain = client_repeat.is_some_and(|repeat| repeat.is_certain());
        let known = repeat.filter(|_| !is_certain);
        let diagnosis = match (known, client_repeat) {
            (Some(known), _) => known,
            (None, Some(repeat)) if delivery.row.verdict == Verdict::Duplicate => repeat.diagnosis(),
            (None, repeat) => diagnose(delivery, sources, autopsy.as_ref())
                .evidence(repeat.map(|repeat| repeat.sentence()).unwrap_or_default()),
        };
        Self { diagnosis, autopsy, client_repeat }
    }

    /// The cause that is kept with a delivery of that verdict: of a refusal, or of a repeat.
    #[must_use]
    pub fn cause(&self, verdict: Verdict) -> Option<Cause> {
        let Diagnosis { code, headline, .. } = &self.diagnosis;
        let is_kept = matches!(verdict, Verdict::Rejected | Verdict::Duplicate);
        is_kept.then(|| Cause { code: code.clone(), headline: headline.clone() })
    }
}

/// What the signature of a refused delivery was made with, where its signature is why it was refused and it contains anything
/// that could be one.
fn autopsy(delivery: &StoredDelivery, sources: &[Source], masks: Option<&MaskKey>) -> Option<Autopsy> {
    let reason = delivery.row.reason?;
    let is_about_signature =
        matches!(reason, Reason::SignatureMissing | Reason::SignatureMalformed | Reason::SignatureMismatch);
    let source = sources.iter().find(|source| source.name == delivery.row.source)?;
    // What is certain leaves nothing to be tried.
    if !is_about_signature
        || (reason == Reason::SignatureMismatch && signed_with_its_end(delivery, source).is_some())
    {
        return None;
    }
    if delivery.body_end != BodyEnd::Complete {
        return Some(Autopsy::impossible(
            "Not all of the body is here, so its signature cannot be looked into.",
        ));
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
        mask: masks,
    })
}
