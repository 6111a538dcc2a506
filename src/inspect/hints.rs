//! The nearest miss: what a refused delivery probably was meant to be, beside what its gates say.

use std::borrow::Cow;

use super::cause::is_from_tagoio;
use super::client_hint;
use super::diagnosis::NO_NAME;
use super::handshakes;
use super::naming;
use super::not_json::{cause, length_hint};
use crate::domain::{Credential, Header, Headers, Outcome, Reason, Scheme, Source, StoredDelivery, nearest};
use crate::payload::decode;
use crate::signing::diagnose::clock;

/// The most bytes of a decoded body that are looked at.
const MAX_DECODED: usize = 4 * 1024 * 1024;

/// Sentences that go on where the finding of the failed gate ends.
#[must_use]
pub fn hints(delivery: &StoredDelivery, sources: &[Source]) -> Vec<String> {
    // What it is replaces what it is not.
    if let Some(hint) = handshakes::hint(delivery, sources) {
        return vec![hint];
    }
    let Some(reason) = delivery.row.reason else { return Vec::new() };
    let source = sources.iter().find(|source| source.name == delivery.row.source);
    let hint = match (reason, source) {
        (Reason::UnknownSource, _) => nearest_source(&delivery.row.source, sources),
        (Reason::IpNotAllowed, Some(source)) => return client_hint::hints(delivery, &source.allow.ranges),
        (Reason::CredentialsMissing | Reason::CredentialsWrong, Some(source)) => {
            other_credential(delivery, source)
        }
        (Reason::SignatureMissing, _) => {
            length_hint(delivery).or_else(|| is_from_tagoio(delivery).then(|| cannot_sign(sources)))
        }
        (Reason::Stale, Some(source)) => {
            clock(&delivery.headers, delivery.row.received_at, source.signature.tolerance)
                .map(|told| told.fix)
        }
        (Reason::InvalidPayload, Some(source)) if lacks_name(delivery) => {
            Some(naming::hint(delivery, source))
        }
        (Reason::InvalidPayload, _) => senml(delivery),
        (Reason::NotJson, _) => not_json(delivery),
        (Reason::TooSlow | Reason::Incomplete | Reason::SignatureMismatch, _) => length_hint(delivery),
        _ => None,
    };
    hint.into_iter().collect()
}

fn lacks_name(delivery: &StoredDelivery) -> bool {
    delivery.checks.iter().any(|check| check.outcome == Outcome::Fail && check.rule.starts_with(NO_NAME))
}

fn nearest_source(asked: &str, sources: &[Source]) -> Option<String> {
    let names = || sources.iter().map(|source| source.name.as_str());
    let begun = || names().find(|name| !asked.is_empty() && name.starts_with(asked));
    Some(match nearest(asked, names()).or_else(begun) {
        Some(name) => format!("Probably “{name}” is meant."),
        None => format!("There are: {}.", names().collect::<Vec<_>>().join(", ")),
    })
}

fn other_credential(delivery: &StoredDelivery, source: &Source) -> Option<String> {
    let has = |name: &str| delivery.headers.get(name).is_some_and(|value| !value.trim_ascii().is_empty());
    let authorization = delivery.headers.get("Authorization").map(String::from_utf8_lossy);
    // Without a scheme in front the whole value is masked.
    let scheme = authorization
        .as_deref()
        .and_then(|value| value.split_whitespace().next())
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .map(str::to_owned);
    let asks_key = source.credentials.iter().find_map(|credential| match credential {
        Credential::ApiKey { header, .. } => Some(header.as_str()),
        _ => None,
    });
    if let (Some(scheme), Some(header)) = (&scheme, asks_key) {
        return Some(format!("It carries Authorization: {scheme} …, but the key is looked for in {header}."));
    }
    let presented = ["X-API-Key", "Api-Key", "X-Auth-Token", "Device-Token", "Account-Token"]
        .into_iter()
        .find(|name| has(name));
    if let (Some(presented), None) = (presented, asks_key) {
        return Some(format!("It carries {presented}, but the credential is looked for in Authorization."));
    }
    let is_missing = delivery.row.reason == Some(Reason::CredentialsMissing);
    let none =
        "No header of a credential is there at all: the sender does not set it, or a proxy takes it out.";
    (is_missing && scheme.is_none()).then(|| none.to_owned())
}

fn cannot_sign(sources: &[Source]) -> String {
    let unsigned = sources.iter().find(|source| source.signature.scheme == Scheme::None);
    let said = "This is a TagoIO Action, which cannot sign, but can send a header";
    match unsigned {
        Some(source) => {
            format!("{said}: let it post to /webhook/{} with that source's credential.", source.name)
        }
        None => {
            format!("{said}: add a source with signature = \"none\" and a credential, and let it post there.")
        }
    }
}

/// Why a body is not JSON.
fn not_json(delivery: &StoredDelivery) -> Option<String> {
    let (headers, body) = (&delivery.headers, &delivery.body);
    length_hint(delivery).or_else(|| match decode(headers, body, MAX_DECODED) {
        Ok(Cow::Owned(decoded)) => {
            let is_coding = |header: &&Header| header.name.eq_ignore_ascii_case("content-encoding");
            let plain: Headers = headers.iter().filter(|header| !is_coding(header)).cloned().collect();
            cause(&plain, &decoded)
        }
        _ => cause(headers, body),
    })
}

/// Records of sensors in the array form of RFC 8428.
fn senml(delivery: &StoredDelivery) -> Option<String> {
    let records: Vec<serde_json::Value> = serde_json::from_slice(&delivery.body).ok()?;
    let first = records.first()?.as_object()?;
    let is_record = ["bn", "n"].iter().any(|key| first.get(*key).is_some_and(serde_json::Value::is_string))
        && !first.contains_key("variable");
    is_record.then(|| {
        "It is SenML (RFC 8428): records with bn, n, v. An array must hold TagoIO's data points, each with a variable. Put \
         the records into an object, as {\"event\": \"reading\", \"data\": […]}."
            .to_owned()
    })
}
