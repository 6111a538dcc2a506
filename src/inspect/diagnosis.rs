//! One sentence on what became of a delivery: what was seen, the rule, and what to do. For the operator only.

use super::{Findings, client_hint, handshakes};
use crate::domain::{Check, Gate, Outcome, Reason, StoredDelivery, Verdict};

/// The rule of the check that looks for an event's name.
pub(super) const NO_NAME: &str = "an event name";

/// Says in one sentence, or two, what became of a delivery and what to do about it.
#[must_use]
pub fn diagnose(delivery: &StoredDelivery, findings: &Findings) -> String {
    let is_certain = findings.client_repeat.is_some_and(|repeat| repeat.is_certain());
    let known = findings.repeat.as_deref().filter(|_| !is_certain);
    let repeat = findings.client_repeat.filter(|_| known.is_none()).map(|repeat| repeat.sentence());
    let said = verdict(delivery, findings, known);
    match (delivery.row.verdict, repeat) {
        (Verdict::Duplicate, None) if known.is_none() => format!(
            "{said} Nothing to do: the sender repeated itself, usually because an earlier answer came too late for it."
        ),
        (_, Some(repeat)) => format!("{said} {repeat}"),
        (_, None) => said,
    }
}

/// `known` is why the event came again, where more is known than that it did.
fn verdict(delivery: &StoredDelivery, findings: &Findings, known: Option<&str>) -> String {
    let row = &delivery.row;
    match (row.verdict, row.reason) {
        (Verdict::Accepted, _) => with_hints(accepted(delivery), findings),
        (Verdict::Handshake, _) => handshakes::answered(delivery),
        (Verdict::Duplicate, _) | (_, Some(Reason::IdConflict)) if known.is_some() => {
            known.unwrap_or_default().to_owned()
        }
        (Verdict::Duplicate, _) => {
            "The same event was accepted before, so this one was answered 200 and not taken again.".to_owned()
        }
        (Verdict::Captured, _) => format!(
            "Kept for debugging: requests to /webhook-test are answered {} and shown, but never checked, \
             deduplicated or sent on.",
            row.status
        ),
        (Verdict::Rejected, Some(reason)) => {
            let autopsy = findings.autopsy.as_ref();
            let is_known = autopsy.is_some_and(|autopsy| autopsy.variant.is_some());
            // Where the cause is known nothing is guessed.
            let mut said = match (&findings.cause, is_known) {
                (Some(cause), _) => cause.clone(),
                (None, true) => format!("The signature does not hold: {}.", failed(delivery).0),
                (None, false) if reason == Reason::NotJson && !findings.hints.is_empty() => {
                    "Invalid JSON; all bytes of the body are kept.".to_owned()
                }
                (None, false) => rejected(delivery, reason),
            };
            for more in findings.hints.iter().chain(autopsy.map(|autopsy| &autopsy.sentence)) {
                said.push(' ');
                said.push_str(more);
            }
            said
        }
        (Verdict::Rejected, None) => format!("Refused with status {}.", row.status),
    }
}

fn with_hints(mut said: String, findings: &Findings) -> String {
    for hint in &findings.hints {
        said.push(' ');
        said.push_str(hint);
    }
    said
}

fn accepted(delivery: &StoredDelivery) -> String {
    let notes: Vec<&str> =
        delivery.checks.iter().flat_map(|check| &check.notes).map(String::as_str).collect();
    let unsigned = is_skipped(&delivery.checks, Gate::Signature);
    let unproven = unsigned && is_skipped(&delivery.checks, Gate::Credentials);
    let known_by = delivery
        .checks
        .iter()
        .find(|check| check.gate == Gate::Idempotency && check.outcome == Outcome::Pass)
        .map(|check| check.seen.trim_start_matches("no id; "));
    let mut said = match (&delivery.row.event_id, known_by) {
        (Some(_), _) => "Accepted: every check passed and the event is new.".to_owned(),
        (None, Some(known_by)) => format!(
            "Accepted: every check passed and the event is new. It carries no event id; a repeat is recognised by \
             {known_by}."
        ),
        (None, None) => {
            "Accepted: every check passed. It carries no event id, so a repeat cannot be told from a new \
                         event."
                .to_owned()
        }
    };
    if unproven {
        said.push_str(" Nothing proves who sent it: this source asks for neither signature nor credential.");
    }
    if !notes.is_empty() {
        said.push_str(&format!(" Noted: {}.", notes.join("; ")));
    }
    said
}

fn is_skipped(checks: &[Check], gate: Gate) -> bool {
    checks.iter().any(|check| check.gate == gate && check.outcome == Outcome::Skipped)
}

/// What the gate saw that failed, and its rule.
fn failed(delivery: &StoredDelivery) -> (&str, &str) {
    let failed = delivery.checks.iter().find(|check| check.outcome == Outcome::Fail);
    let seen = failed.map(|check| check.seen.as_str()).filter(|seen| !seen.is_empty()).unwrap_or("nothing");
    (seen, failed.map(|check| check.rule.as_str()).unwrap_or("the rule"))
}

fn rejected(delivery: &StoredDelivery, reason: Reason) -> String {
    let (seen, rule) = failed(delivery);
    let source = &delivery.row.source;
    match reason {
        Reason::UnknownSource => format!(
            "There is no source named “{source}”. Correct the last part of the sender's URL, or add a [[source]] of \
             that name to the configuration."
        ),
        Reason::IpNotAllowed => client_hint::diagnosis(delivery, seen, rule),
        Reason::TooLarge => format!(
            "The body is larger than we take: {seen}, the rule is {rule}. Send smaller batches, or raise max_body."
        ),
        Reason::TooSlow => format!(
            "The body did not arrive in time: {seen}. Look at the sender's connection. If its line is slow, raise body_timeout."
        ),
        Reason::Incomplete => format!(
            "The sender broke off inside the body ({seen}). Look for a timeout or a crash on its side, or in a \
             proxy between."
        ),
        Reason::CredentialsMissing => format!(
            "No credential was presented; source “{source}” asks for {rule}. Add that header in the sender's \
             configuration."
        ),
        Reason::CredentialsWrong => format!(
            "The credential presented ({seen}) is not one of source “{source}” ({rule}). Compare the sender's token \
             with the file that is named there."
        ),
        Reason::SignatureMissing => format!(
            "It is not signed: {seen}, the rule is {rule}. Enter the signing secret in the sender's webhook settings; \
             a sender that cannot sign needs a source with signature = \"none\" and a credential."
        ),
        Reason::SignatureMalformed => format!(
            "The signature header cannot be one of this scheme: {seen}; the rule is {rule}. Check which scheme the \
             sender uses and set the source's signature to it."
        ),
        Reason::SignatureMismatch => format!(
            "The signature does not belong to these bytes: {seen}; the rule is {rule}. Either the sender signs with \
             another secret, or something between changed the body after it was signed."
        ),
        Reason::Stale => format!(
            "The signature is right, but its time is not: {seen}; the rule is {rule}. Check both clocks; an old \
             request played again looks the same."
        ),
        Reason::UnsupportedEncoding => format!(
            "The body comes in an encoding that we do not read: {seen}; the rule is {rule}. Let the sender use gzip, \
             deflate, br, or none."
        ),
        Reason::HandshakeMalformed => {
            format!("{seen}. It was not answered: {rule} expects the request as the platform documents it.")
        }
        Reason::HandshakeRefused => {
            format!(
                "{seen}. It was answered 403. Compare what the platform sends with {rule} of source “{source}”."
            )
        }
        Reason::NotJson => {
            format!("Invalid JSON: {seen}; the rule is {rule}. All bytes of the body are kept.")
        }
        Reason::InvalidPayload => {
            let failed = delivery.checks.iter().find(|check| check.outcome == Outcome::Fail);
            if rule.starts_with(NO_NAME) { no_name(failed, rule) } else { invalid_payload(failed, rule) }
        }
        Reason::UnknownEvent => format!(
            "The catalogue does not know the event: {seen}. Add a schema of that name to schemas_dir, or set \
             unknown_events = \"accept\"."
        ),
        Reason::InvalidId => format!(
            "The event id cannot be used: {seen}; the rule is {rule}. Correct the sender, or point id_pointer at \
             another field."
        ),
        Reason::IdConflict => {
            "Its id was accepted before with another body. One of the two is wrong: compare them, \
                               the first is linked below. The sender was told 409 and this one was not taken."
                .to_owned()
        }
    }
}

/// What to do about it depends on the source, and is said by a hint.
fn no_name(failed: Option<&Check>, rule: &str) -> String {
    let fault = failed.and_then(|check| check.faults.first());
    let what = fault.map_or("Missing required field: event", |fault| fault.message.as_str());
    let place = rule.strip_prefix(NO_NAME).and_then(|rest| rest.strip_prefix(": "));
    let cure = match place {
        Some(place) => format!("Its source looks for the name here: {place}."),
        None => "The sender must put it into \"event\" or \"type\".".to_owned(),
    };
    format!("The request does not name its event: {what}. {cure}")
}

fn invalid_payload(failed: Option<&Check>, rule: &str) -> String {
    let faults = failed.map(|check| check.faults.as_slice()).unwrap_or_default();
    let first = faults.first().map(|fault| fault.message.as_str()).unwrap_or("it departs from its schema");
    let more = match faults.len().saturating_sub(1) {
        0 => String::new(),
        1 => " (and one fault more)".to_owned(),
        more => format!(" (and {more} faults more)"),
    };
    let is_of_schema = failed.is_some_and(|check| check.gate == Gate::Schema);
    let or = if is_of_schema { ", or set the source's schema to \"warn\"" } else { "" };
    format!(
        "The payload does not fit: {first}{more}; the rule is {rule}. The sender was told every fault; correct it \
         there{or}."
    )
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    use std::time::Duration;

    use crate::domain::{
        Allowlist, BodyEnd, ClientAddress, Connection, DeliveryId, DeliveryRow, EventPlace, Fault, Headers,
        IdScope, Marks, SchemaMode, Scheme, SignatureRule, SilenceAfter, Source, Timestamp, UnknownEvents,
        Unverified,
    };

    /// A delivery of that verdict, without checks.
    pub fn stored(verdict: Verdict, reason: Option<Reason>) -> StoredDelivery {
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        StoredDelivery {
            row: DeliveryRow {
                seq: 1,
                id: DeliveryId::new_at(Timestamp::from_secs(1_700_000_000)),
                source: "tagorun".into(),
                received_at: Timestamp::from_secs(1_700_000_000),
                method: "POST".into(),
                path: "/webhook/tagorun".into(),
                client_ip: ip,
                event_type: None,
                event_name: None,
                event_id: Some("evt_1".into()),
                entity: None,
                verdict,
                reason,
                status: reason.map_or(200, Reason::status),
                size_bytes: 2,
                duration_us: 10,
                duplicate_of: None,
                marks: Marks::default(),
                cause: None,
                unverified: Unverified::default(),
            },
            http_version: "HTTP/1.1".into(),
            client: ClientAddress { ip, peer: ip, explanation: "direct connection".into() },
            connection: Connection::default(),
            hung_up: None,
            headers: Headers::default(),
            body: bytes::Bytes::from_static(b"{}"),
            body_end: BodyEnd::Complete,
            checks: Vec::new(),
        }
    }

    /// A source of that scheme.
    pub fn source(scheme: Scheme) -> Source {
        Source {
            preset: None,
            name: "alerts".to_owned(),
            signature: SignatureRule { scheme, secrets: Vec::new(), tolerance: Duration::ZERO },
            allow: Allowlist::default(),
            credentials: Vec::new(),
            schema: SchemaMode::Enforce,
            unknown_events: UnknownEvents::Accept,
            event: EventPlace::Scheme,
            id_pointer: "/id".to_owned(),
            id_scope: IdScope::default(),
            dedupe_by_body: None,
            entity: String::new(),
            device: None,
            silence_after: SilenceAfter::Off,
            sender_timeout: Duration::ZERO,
            time_pointer: String::new(),
            handshake: None,
        }
    }

    fn refused(reason: Reason, seen: &str, rule: &str, faults: Vec<Fault>) -> StoredDelivery {
        let mut delivery = stored(Verdict::Rejected, Some(reason));
        delivery.checks.push(Check {
            gate: Gate::Signature,
            outcome: Outcome::Fail,
            reason: Some(reason),
            seen: seen.into(),
            rule: rule.into(),
            duration_us: 1,
            faults,
            notes: Vec::new(),
        });
        delivery
    }

    #[test]
    fn every_reason_says_what_was_seen_or_what_to_do() {
        for reason in Reason::ALL {
            let said = diagnose(&refused(*reason, "SEEN", "RULE", Vec::new()), &Findings::default());
            assert!(said.ends_with(['.', '!']) && said.len() > 60, "{reason:?}: {said}");
            assert!(!said.contains("  ") && !said.contains("nothing nothing"), "{said}");
        }
    }

    #[test]
    fn a_mismatch_names_value_rule_and_the_two_causes() {
        let said = diagnose(
            &refused(Reason::SignatureMismatch, "one signature", "tagorun", Vec::new()),
            &Findings::default(),
        );
        assert!(
            said.contains("one signature") && said.contains("tagorun") && said.contains("another secret")
        );
    }

    #[test]
    fn an_invalid_payload_counts_its_faults() {
        let faults = vec![Fault::new("/user", "Missing required field: user"), Fault::new("/a", "b")];
        let said =
            diagnose(&refused(Reason::InvalidPayload, "user.login", "schema", faults), &Findings::default());
        assert!(said.contains("Missing required field: user (and one fault more)"), "{said}");
    }

    #[test]
    fn points_are_told_from_a_repeat_by_their_ids() {
        let mut delivery = stored(Verdict::Accepted, None);
        delivery.row.event_id = None;
        let said = |delivery: &StoredDelivery| diagnose(delivery, &Findings::default());
        assert!(said(&delivery).contains("a repeat cannot be told from a new event"), "{}", said(&delivery));
        for (seen, told) in [
            ("the ids of 28 data points", "a repeat is recognised by the ids of 28 data points."),
            (
                "no id; the digest of the body, for 600 s",
                "a repeat is recognised by the digest of the body, for 600 s.",
            ),
        ] {
            let mut delivery = delivery.clone();
            delivery.checks.push(Check {
                gate: Gate::Idempotency,
                outcome: Outcome::Pass,
                reason: None,
                seen: seen.into(),
                rule: String::new(),
                duration_us: 0,
                faults: Vec::new(),
                notes: Vec::new(),
            });
            assert!(said(&delivery).contains(told), "{}", said(&delivery));
        }
    }

    #[test]
    fn a_cause_that_is_known_takes_the_place_of_what_is_guessed() {
        let cause = "The right token (file:t) came without the word Bearer.";
        let findings = Findings { cause: Some(cause.to_owned()), ..Findings::default() };
        let said = diagnose(&refused(Reason::CredentialsWrong, "a", "b", Vec::new()), &findings);
        assert_eq!(said, cause);
    }

    #[test]
    fn an_unproven_sender_is_told_to_the_operator() {
        let mut delivery = stored(Verdict::Accepted, None);
        for gate in [Gate::Credentials, Gate::Signature] {
            delivery.checks.push(Check {
                gate,
                outcome: Outcome::Skipped,
                reason: None,
                seen: String::new(),
                rule: String::new(),
                duration_us: 0,
                faults: Vec::new(),
                notes: Vec::new(),
            });
        }
        assert!(diagnose(&delivery, &Findings::default()).contains("Nothing proves who sent it"));
    }
}
