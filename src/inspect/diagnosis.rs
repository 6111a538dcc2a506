//! Why a delivery became what it is: a headline, the cause, what to do, and the evidence. For the operator only.

use super::cause::cause;
use super::client_hint;
use super::handshakes;
use super::hints::{ask_for, hint, nearest_source};
use super::not_json::signed_with_its_end;
use super::signature;
use super::told::{Action, Diagnosis, place};
use crate::domain::{Check, Credential, Fault, Gate, Outcome, Reason, Source, StoredDelivery, Verdict};
use crate::signing::diagnose::Autopsy;

/// What became of a delivery and why, by the delivery itself and what its signature was made with.
#[must_use]
pub fn diagnose(delivery: &StoredDelivery, sources: &[Source], autopsy: Option<&Autopsy>) -> Diagnosis {
    let row = &delivery.row;
    match (row.verdict, row.reason) {
        (Verdict::Accepted, _) => accepted(delivery, sources),
        (Verdict::Handshake, _) => handshakes::answered(delivery),
        (Verdict::Captured, _) => captured(delivery),
        (Verdict::Duplicate, _) => {
            let cause =
                "The same event was accepted before. This one was answered 200 and not processed again.";
            Diagnosis::new("duplicate", row.verdict.headline(), cause)
                .act("Nothing to do: the sender repeated itself, usually because our response came too late for it.", Action::Compare)
        }
        (Verdict::Rejected, Some(reason)) => refused(delivery, sources, reason, autopsy),
        (Verdict::Rejected, None) => {
            Diagnosis::new("rejected", row.verdict.headline(), format!("Refused with status {}.", row.status))
        }
    }
}

/// The closest known cause replaces the report of the failed check.
fn refused(
    delivery: &StoredDelivery,
    sources: &[Source],
    reason: Reason,
    autopsy: Option<&Autopsy>,
) -> Diagnosis {
    let source = sources.iter().find(|source| source.name == delivery.row.source);
    let is_mismatch = reason == Reason::SignatureMismatch;
    let certain = source.filter(|_| is_mismatch).and_then(|source| signed_with_its_end(delivery, source));
    let made_with = || autopsy.and_then(|autopsy| Some((autopsy.variant.as_deref()?, autopsy)));
    let tried = autopsy.filter(|autopsy| autopsy.variant.is_none());
    None.or_else(|| handshakes::hint(delivery, sources))
        .or(certain)
        .or_else(|| cause(delivery))
        .or_else(|| made_with().map(|(variant, autopsy)| signature::made_with(variant, autopsy)))
        .unwrap_or_else(|| {
            let told =
                hint(delivery, sources).unwrap_or_else(|| by_reason(delivery, sources, source, reason));
            told.evidence(tried.map_or("", |autopsy| &autopsy.sentence))
        })
}

fn accepted(delivery: &StoredDelivery, sources: &[Source]) -> Diagnosis {
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
        (Some(_), _) => "Every check passed and the event is new.".to_owned(),
        (None, Some(known_by)) => {
            format!("Every check passed and the event is new, recognised by {known_by}.")
        }
        (None, None) => {
            "Every check passed. The event has no id, so a repeat cannot be recognised.".to_owned()
        }
    };
    if unproven {
        said.push_str(" Nothing proves who sent it: this source expects neither signature nor credential.");
    }
    let mut told = Diagnosis::new("accepted", Verdict::Accepted.headline(), said);
    // A platform's question that was taken for an event.
    if let Some(hint) = handshakes::hint(delivery, sources) {
        told.cause = format!("{} {}", told.cause, hint.cause);
        told.fixes = hint.fixes;
    }
    if notes.is_empty() { told } else { told.evidence(format!("Noted: {}.", notes.join("; "))) }
}

fn captured(delivery: &StoredDelivery) -> Diagnosis {
    let cause = format!(
        "Requests to /webhook-test are answered {} and shown, but never checked, deduplicated or forwarded.",
        delivery.row.status
    );
    Diagnosis::new("captured", Verdict::Captured.headline(), cause)
}

fn is_skipped(checks: &[Check], gate: Gate) -> bool {
    checks.iter().any(|check| check.gate == gate && check.outcome == Outcome::Skipped)
}

/// The check that failed.
fn failed(delivery: &StoredDelivery) -> Option<&Check> {
    delivery.checks.iter().find(|check| check.outcome == Outcome::Fail)
}

/// The diagnosis if no closer cause is known.
fn by_reason(
    delivery: &StoredDelivery,
    sources: &[Source],
    source: Option<&Source>,
    reason: Reason,
) -> Diagnosis {
    let check = failed(delivery);
    let seen = check.map(|check| check.seen.as_str()).filter(|seen| !seen.is_empty()).unwrap_or("nothing");
    let rule = check.map_or("the rule", |check| check.rule.as_str());
    let name = &delivery.row.source;
    let told = |cause: String| Diagnosis::new(reason.as_str(), reason.headline(), cause);
    match reason {
        Reason::UnknownSource => unknown_source(name, sources),
        Reason::IpNotAllowed => {
            let ranges = source.map(|source| source.allow.ranges.as_slice()).unwrap_or_default();
            client_hint::diagnosis(delivery, rule, ranges)
        }
        Reason::TooLarge => {
            told(format!("Received: {seen}. Allowed: {rule}.")).fix("Send smaller batches, or raise max_body.")
        }
        Reason::TooSlow => told(format!("The body did not arrive in time: {seen}."))
            .fix("Check the sender's connection. If its line is slow, raise body_timeout."),
        Reason::Incomplete => told(format!("The connection closed inside the body: {seen}."))
            .fix("Look for a timeout or a crash in the sender, or in a proxy between."),
        Reason::CredentialsMissing | Reason::CredentialsWrong => credentials(delivery, source, reason, seen, rule),
        Reason::SignatureMissing => unsigned(source, seen),
        Reason::SignatureMalformed => told(format!("Received: {seen}. Expected: {rule}."))
            .fix("Check which scheme the sender uses, and set the source's signature to it.")
            .proved_by(Action::ChangeRules),
        Reason::SignatureMismatch => mismatch(source),
        Reason::Stale => told(format!("The signature is valid, but its timestamp is not: {seen}. Expected: {rule}."))
            .fix("Check both clocks. A replayed request looks the same.")
            .proved_by(Action::ChangeRules),
        Reason::UnsupportedEncoding => told(format!("Received: {seen}. Expected: {rule}."))
            .fix("Let the sender use gzip, deflate, br, or none."),
        Reason::HandshakeMalformed => {
            told(format!("{seen}. It was not answered: {rule} expects the request as the platform documents it."))
                .fix("Compare the request with the platform's documentation.")
        }
        Reason::HandshakeRefused => told(format!("{seen}. It was answered 403."))
            .fix(format!("Compare what the platform sends with {rule} of source “{name}”.")),
        Reason::NotJson => {
            let fault = seen.strip_prefix("not JSON: ").unwrap_or(seen);
            told(format!("The body is not JSON: {fault}. All bytes of it are kept."))
                .fix("Let the sender write the body with a JSON library.")
        }
        Reason::InvalidPayload => invalid_payload(check, rule),
        Reason::UnknownEvent => told(format!("The catalogue does not contain the event: {seen}."))
            .fix("Add a schema with that name to schemas_dir, or accept unknown events.")
            .with_line("unknown_events = \"accept\"")
            .proved_by(Action::ChangeRules),
        Reason::InvalidId => told(format!("The event id cannot be used: {seen}. Expected: {rule}."))
            .fix("Correct the sender, or point id_pointer at another field."),
        Reason::IdConflict => told(
            "Its event id was accepted before with another body. This delivery was answered 409 and not accepted.".to_owned(),
        )
        .act("Compare it with the first delivery: one of the two is wrong.", Action::Compare),
    }
}

fn unknown_source(name: &str, sources: &[Source]) -> Diagnosis {
    let cause = format!("There is no source named “{name}”.");
    let told = |more: &str| {
        Diagnosis::new("unknown_source", Reason::UnknownSource.headline(), format!("{cause} {more}"))
    };
    let told = match nearest_source(name, sources) {
        Ok(near) => told(&format!("Probably “{near}” is meant."))
            .line("Correct the last part of the sender's URL.", format!("/webhook/{near}")),
        Err(all) => told(&all).fix("Correct the last part of the sender's URL."),
    };
    told.fix(format!("Or add a [[source]] with the name “{name}” to the configuration."))
}

fn credentials(
    delivery: &StoredDelivery,
    source: Option<&Source>,
    reason: Reason,
    seen: &str,
    rule: &str,
) -> Diagnosis {
    let name = &delivery.row.source;
    let (headline, cause) = match (reason, seen) {
        (Reason::CredentialsMissing, _) => {
            (reason.headline(), format!("Source “{name}” expects {rule}, and the request has none."))
        }
        (_, "a bearer token") => {
            ("Wrong token", format!("The bearer token is not the one of source “{name}”: {rule}."))
        }
        (_, seen) => (
            reason.headline(),
            format!("The request has {seen}, which is not the one of source “{name}”: {rule}."),
        ),
    };
    let told = Diagnosis::new(reason.as_str(), headline, cause);
    match source.filter(|source| !source.credentials.is_empty()) {
        Some(source) => ask_for(told, source, presented(source, seen)),
        None => told.fix("Enter the credential in the sender."),
    }
}

/// The credential of the kind that was `seen`, else the first.
fn presented<'s>(source: &'s Source, seen: &str) -> Option<&'s Credential> {
    let is_kind = |credential: &&Credential| match credential {
        Credential::Bearer(_) => seen.starts_with("a bearer token"),
        Credential::Basic { .. } => seen.starts_with("a basic ") || seen.starts_with("a Basic "),
        Credential::ApiKey { header, .. } => seen == format!("a key in {header}"),
    };
    source.credentials.iter().find(is_kind).or_else(|| source.credentials.first())
}

fn unsigned(source: Option<&Source>, seen: &str) -> Diagnosis {
    let cause = format!("Unsigned request: {seen}.");
    let told = Diagnosis::new("signature_missing", Reason::SignatureMissing.headline(), cause);
    let step = format!("Enter the signing secret in the sender's webhook settings.{}", secrets(source));
    show_secret(told.fix(step), source)
        .fix("A sender that cannot sign needs a source with signature = \"none\" and a credential.")
}

fn mismatch(source: Option<&Source>) -> Diagnosis {
    let cause = "No configured secret produces this signature for this body.";
    let told = Diagnosis::new("wrong-secret", "Wrong secret or changed body", cause).fix(format!(
        "Compare the sender's secret with the one {}.",
        places(source).unwrap_or("here".to_owned())
    ));
    show_secret(told, source)
        .act("Or try the sender's secret.", Action::TestSecret)
        .fix("If it is right, find what changes the body after signing.")
}

/// With the link to the secret of a source.
fn show_secret(told: Diagnosis, source: Option<&Source>) -> Diagnosis {
    match source {
        Some(source) => told.proved_by(Action::ShowSecret { source: source.name.clone(), is_token: false }),
        None => told,
    }
}

/// ` It is in the file signing-secret (ends in f443).`: where a source's secrets are.
fn secrets(source: Option<&Source>) -> String {
    places(source).map_or(String::new(), |places| format!(" It is {places}."))
}

/// `in the file signing-secret (ends in f443)`; `None` if the source has no secrets.
fn places(source: Option<&Source>) -> Option<String> {
    let secrets = source.map(|source| source.signature_now().into_owned().secrets).unwrap_or_default();
    let places: Vec<String> = secrets.iter().map(place).collect();
    (!places.is_empty()).then(|| places.join(", or "))
}

fn invalid_payload(failed: Option<&Check>, rule: &str) -> Diagnosis {
    let faults = failed.map(|check| check.faults.as_slice()).unwrap_or_default();
    let first = faults.first().map_or("it does not match its schema", |fault| fault.message.as_str());
    let more = match faults.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" (+{more} more)"),
    };
    let is_of_schema = failed.is_some_and(|check| check.gate == Gate::Schema);
    let headline = if is_of_schema { "Schema validation failed" } else { Reason::InvalidPayload.headline() };
    let told = Diagnosis::new("invalid_payload", headline, format!("{first}{more}. Expected: {rule}."));
    let shown = faults.iter().skip(1).take(9).map(|Fault { message, .. }| format!("{message}."));
    let told = shown.fold(told, Diagnosis::evidence);
    let told = told.fix("Correct the payload in the sender: its response lists every fault.");
    if is_of_schema {
        told.line("Or accept such payloads, with a note.", "schema = \"warn\"").proved_by(Action::ChangeRules)
    } else {
        told
    }
}

#[cfg(test)]
pub mod tests;
