//! The pipeline, in a straight line.

use std::sync::Arc;
use std::time::Instant;

use super::handshake::{self, Asked, Question, Reply};
use super::idempotency::Claimant;
use super::misplaced::{self, Place};
use super::trace::{Finding, Trace};
use super::{Masking, allowlist, credentials, payload, schema, signature, size, unverified};
use crate::catalog::Catalog;
use crate::domain::{
    Arrival, Claim, Credential, Decision, Delivery, Entry, EventFacts, Fault, Gate, Outcome, Reason,
    SignatureRule, Source, Target, Timestamp, Unverified,
};
use crate::payload::Sent;

/// The source name of captures from `/webhook-test`.
pub const CAPTURES: &str = "webhook-test";

/// Decides about deliveries by one set of rules. A reload creates a new one.
pub struct Receiver {
    sources: Vec<Source>,
    catalog: Arc<Catalog>,
    masking: Arc<Masking>,
    max_body: usize,
    credential_headers: Vec<String>,
}

/// A delivery with its decision: the data for the store and for the response.
#[derive(Debug)]
pub struct Judgement {
    /// What is appended to the store.
    pub entry: Entry,
    /// The faults listed in a 400 response; empty otherwise.
    pub faults: Vec<Fault>,
    /// The response to a platform's question.
    pub reply: Option<Reply>,
}

/// The result of passing the gates.
enum Passed {
    /// An event, with its claim.
    Event(Option<Claim>),
    /// A platform's question.
    Question(Reply),
}

impl Receiver {
    /// A receiver for `sources`, the first of which is the default. `max_body` is in bytes.
    #[must_use]
    pub fn new(sources: Vec<Source>, catalog: Arc<Catalog>, masking: Arc<Masking>, max_body: usize) -> Self {
        let credential_headers = sources
            .iter()
            .flat_map(|source| &source.credentials)
            .filter_map(|credential| match credential {
                Credential::ApiKey { header, secret_header, .. } => {
                    Some([header.clone(), secret_header.clone()])
                }
                Credential::Bearer(_) | Credential::Basic { .. } => None,
            })
            .flatten()
            .collect();
        Self { sources, catalog, masking, max_body, credential_headers }
    }

    /// The sources, the default first.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The source of that name; the empty name is the default source.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        if name.is_empty() {
            return self.sources.first();
        }
        self.sources.iter().find(|source| source.name == name)
    }

    /// Whether a request to `/webhook/{name}` is a question that the source answers.
    #[must_use]
    pub fn is_question(&self, name: &str, question: &Question<'_>) -> bool {
        self.source(name).is_some_and(|source| handshake::asked_at(source, question).is_some())
    }

    /// Decides about a request to `/webhook/{name}`. Pure: `now` and `started` come from the caller.
    #[must_use]
    pub fn judge(&self, name: &str, arrival: Arrival, now: Timestamp, started: Instant) -> Judgement {
        let mut trace = Trace::start();
        let mut facts = EventFacts::default();
        let mut hidden = Vec::new();
        let source = self.source(name);
        let passed = match source {
            Some(source) => self.walk(source, &arrival, now, &mut trace, &mut facts, &mut hidden),
            None => Err(Reason::UnknownSource),
        };
        let mut checks = trace.finish();
        if let (Err(reason), Some(source)) = (&passed, source)
            && reason.is_about_signature()
            && let Some(found) =
                misplaced::signing_secret(source, &self.sources, &arrival.headers, &arrival.target)
        {
            hidden.extend(found.places);
            let failed = checks.iter_mut().find(|check| check.outcome == Outcome::Fail);
            failed.into_iter().for_each(|check| check.notes.push(found.sentence.clone()));
        }
        // Where credentials are expected, a digest is one of them.
        let may_sign = matches!(&passed, Err(reason) if reason.is_about_signature())
            && source.is_some_and(|source| source.credentials.is_empty());
        let mut reply = None;
        let (decision, faults) = match passed {
            Ok(Passed::Event(claim)) => (Decision::Accept(claim), Vec::new()),
            Ok(Passed::Question(answer)) => (Decision::Handshake(reply.insert(answer).status), Vec::new()),
            Err(reason) => {
                let failed = checks.iter().find(|check| check.outcome == Outcome::Fail);
                (Decision::Reject(reason), failed.map(|check| check.faults.clone()).unwrap_or_default())
            }
        };
        let name = source.map_or(name, |source| &source.name);
        let delivery = self.delivery(name, arrival, &hidden, may_sign);
        let unverified = match (&decision, source) {
            (Decision::Reject(reason), Some(source)) => unverified::read(source, &delivery, *reason),
            _ => Unverified::default(),
        };
        Judgement { entry: Entry { delivery, facts, unverified, checks, decision, started }, faults, reply }
    }

    /// Runs the gates. The first one that fails decides. `hidden` collects places of secrets that must be masked.
    fn walk(
        &self,
        source: &Source,
        arrival: &Arrival,
        now: Timestamp,
        trace: &mut Trace,
        facts: &mut EventFacts,
        hidden: &mut Vec<Place>,
    ) -> Result<Passed, Reason> {
        let headers = &arrival.headers;
        trace.gate(Gate::Allowlist, allowlist::check(&source.allow, &arrival.client))?;
        trace.gate(Gate::Size, size::check(arrival, self.max_body))?;
        let mut presented = credentials::check(&source.credentials, headers);
        if presented.is_refused()
            && let Some(found) = misplaced::find(source, &self.sources, headers, &arrival.target)
        {
            presented = presented.noted(found.sentence);
            *hidden = found.places;
        }
        trace.gate(Gate::Credentials, presented)?;
        if let Some(asked) = handshake::asked_at(source, &question(arrival)) {
            let rule = source.signature_now();
            return shake_hands(source, &rule, &asked, arrival, now, trace, facts).map(Passed::Question);
        }
        self.read(source, arrival, now, trace, facts).map(Passed::Event)
    }

    /// Runs the gates that read the event, without those that check who sends and how.
    ///
    /// # Errors
    /// The reason of the gate that rejects it.
    pub fn read(
        &self,
        source: &Source,
        arrival: &Arrival,
        now: Timestamp,
        trace: &mut Trace,
        facts: &mut EventFacts,
    ) -> Result<Option<Claim>, Reason> {
        let headers = &arrival.headers;
        let rule = source.signature_now();
        let verified = trace.gate(Gate::Signature, signature::verify(&rule, arrival, now))?;
        let scheme = source.signature.scheme;
        let payload = trace.gate(Gate::Payload, payload::parse(scheme, headers, &verified, self.max_body))?;
        facts.entity = payload.entity_of(&source.entity, source.device.as_ref(), headers, &arrival.target);
        let unfilled = source.device.as_ref().filter(|_| facts.entity.is_none()).and_then(|device| {
            let said = device.placeholder(&arrival.target, headers, &payload.value)?;
            Some(format!("no device: {device} is {said}, a placeholder that the sender did not fill in"))
        });
        unfilled.into_iter().for_each(|note| trace.note(note));
        let sent = Sent { target: Target::new(&arrival.target), headers };
        let schema = trace.gate(Gate::Schema, schema::check(source, &self.catalog, sent, &payload, facts));
        let claimant = Claimant { source, sent, signed_id: verified.signed_id(), payload: &payload };
        if schema.is_err() {
            // It claims nothing, but it is an attempt to deliver that event.
            facts.event_id = claimant.id(facts);
        }
        schema?;
        trace.gate(Gate::Idempotency, claimant.claim(facts))
    }

    /// Stores a request to `/webhook-test` without checks; the response is `status`.
    #[must_use]
    pub fn capture(&self, arrival: Arrival, status: u16, started: Instant) -> Entry {
        let delivery = self.delivery(CAPTURES, arrival, &[], false);
        let decision = Decision::Capture(status);
        let (facts, unverified) = (EventFacts::default(), Unverified::default());
        Entry { delivery, facts, unverified, checks: Vec::new(), decision, started }
    }

    /// Stores a request to `/webhook-test` whose body could not be read to its end.
    #[must_use]
    pub fn refuse_capture(&self, arrival: Arrival, reason: Reason, started: Instant) -> Entry {
        Entry { decision: Decision::Reject(reason), ..self.capture(arrival, reason.status(), started) }
    }

    /// Masks the credentials of an imported delivery that are not masked there.
    pub fn mask_imported(&self, delivery: &mut Delivery) {
        let headers = std::mem::take(&mut delivery.headers);
        delivery.headers = self.masking.imported_headers(headers, &self.credential_headers);
        delivery.path = self.masking.imported_target(&delivery.path);
    }

    /// The stored form of an arrival: the bytes unchanged, credentials and the `hidden` places masked. `may_sign`: a header
    /// for credentials may contain the signature that was looked for.
    fn delivery(&self, source: &str, arrival: Arrival, hidden: &[Place], may_sign: bool) -> Delivery {
        let more = &self.credential_headers;
        let headers = match may_sign {
            true => self.masking.unsigned_headers(arrival.headers, more, hidden),
            false => self.masking.headers_without(arrival.headers, more, hidden),
        };
        Delivery {
            id: arrival.id,
            source: source.to_owned(),
            received_at: arrival.received_at,
            method: arrival.method,
            path: self.masking.target(&arrival.target, hidden),
            http_version: arrival.http_version.to_owned(),
            client: arrival.client,
            headers,
            connection: arrival.connection,
            body: arrival.body,
            body_end: arrival.body_end,
        }
    }
}

fn question(arrival: &Arrival) -> Question<'_> {
    let Arrival { method, target, headers, body, .. } = arrival;
    Question { method, target, headers, body }
}

/// The last gates for a platform's question: its signature if the platform signs it, and its response instead of the
/// payload.
fn shake_hands(
    source: &Source,
    rule: &SignatureRule,
    asked: &Asked,
    arrival: &Arrival,
    now: Timestamp,
    trace: &mut Trace,
    facts: &mut EventFacts,
) -> Result<Reply, Reason> {
    facts.event_type = Some(format!("handshake.{}", asked.handshake.as_str()));
    if asked.is_signed {
        trace.gate(Gate::Signature, signature::verify(rule, arrival, now))?;
    } else {
        let finding = Finding::new("", format!("{} does not sign this question", asked.handshake.sender()));
        trace.gate(Gate::Signature, finding.skip(()))?;
    }
    match &source.handshake {
        Some(handshake) => trace.gate(Gate::Payload, handshake::gate(source, handshake, asked)),
        None => Err(Reason::HandshakeRefused),
    }
}
