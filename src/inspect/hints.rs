//! The nearest miss: what a refused delivery was probably meant to be, in addition to what its checks report.

use std::borrow::Cow;

use super::cause::is_from_tagoio;
use super::naming;
use super::naming::NO_NAME;
use super::not_json::{cause, length_hint, undecodable};
use super::signature;
use super::told::{Action, Diagnosis, place};
use crate::domain::{
    Credential, Header, Headers, Outcome, Reason, Scheme, Secret, SignatureRule, Source, StoredDelivery,
    nearest,
};
use crate::payload::{EncodingFault, decode};
use crate::signing::diagnose::clock;

/// The most bytes of a decoded body that are looked at.
const MAX_DECODED: usize = 4 * 1024 * 1024;

/// What a refused delivery was meant to be; it replaces the report of the failed check.
#[must_use]
pub fn hint(delivery: &StoredDelivery, sources: &[Source]) -> Option<Diagnosis> {
    let reason = delivery.row.reason?;
    let source = sources.iter().find(|source| source.name == delivery.row.source);
    match (reason, source) {
        (Reason::CredentialsMissing | Reason::CredentialsWrong, Some(source)) => {
            other_credential(delivery, source)
        }
        (Reason::SignatureMissing, _) => {
            length_hint(delivery).or_else(|| is_from_tagoio(delivery).then(|| cannot_sign(delivery, sources)))
        }
        (Reason::Stale, Some(source)) => {
            let SignatureRule { scheme, tolerance, .. } = source.signature;
            clock(scheme, &delivery.headers, delivery.row.received_at, tolerance)
                .map(|told| signature::difference(&told))
        }
        (Reason::InvalidPayload, Some(source)) if lacks_name(delivery) => {
            Some(naming::hint(delivery, source))
        }
        (Reason::InvalidPayload, _) => senml(delivery).or_else(|| encoded_twice(delivery)),
        (Reason::NotJson, _) => not_json(delivery),
        (Reason::TooSlow | Reason::Incomplete | Reason::SignatureMismatch, _) => length_hint(delivery),
        _ => None,
    }
}

fn lacks_name(delivery: &StoredDelivery) -> bool {
    delivery.checks.iter().any(|check| check.outcome == Outcome::Fail && check.rule.starts_with(NO_NAME))
}

/// The source that was probably meant, or the sentence that names all.
pub fn nearest_source<'s>(asked: &str, sources: &'s [Source]) -> Result<&'s str, String> {
    let names = || sources.iter().map(|source| source.name.as_str());
    let begun = || names().find(|name| !asked.is_empty() && name.starts_with(asked));
    let found = nearest(asked, names()).or_else(begun);
    found.ok_or_else(|| format!("There are: {}.", names().collect::<Vec<_>>().join(", ")))
}

fn other_credential(delivery: &StoredDelivery, source: &Source) -> Option<Diagnosis> {
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
    let reads_authorization =
        source.credentials.iter().any(|credential| !matches!(credential, Credential::ApiKey { .. }));
    if let (Some(scheme), Some(header), false) = (&scheme, asks_key, reads_authorization) {
        let cause = format!("It carries Authorization: {scheme} …, but the key is looked for in {header}.");
        return Some(elsewhere(cause).line("Send the key in its own header.", format!("{header}: KEY")));
    }
    let presented = ["X-API-Key", "Api-Key", "X-Auth-Token", "Device-Token", "Account-Token"]
        .into_iter()
        .find(|name| has(name));
    if let (Some(presented), None) = (presented, asks_key) {
        let cause = format!("It carries {presented}, but the credential is looked for in Authorization.");
        return Some(
            elsewhere(cause)
                .line("Send it in that header.", "Authorization: Bearer TOKEN")
                .proved_by(Action::ShowSecret { source: source.name.clone(), is_token: true }),
        );
    }
    let is_missing = delivery.row.reason == Some(Reason::CredentialsMissing);
    let none =
        "No header of a credential is there at all: the sender does not set it, or a proxy takes it out.";
    let told = || Diagnosis::new("credentials_missing", "No credential sent", none);
    (is_missing && scheme.is_none()).then(|| ask_for(told(), source, source.credentials.first()))
}

fn elsewhere(cause: String) -> Diagnosis {
    Diagnosis::new("credential-elsewhere", "The credential is in the wrong header", cause)
}

/// With the header that a source's sender must set for one of its credentials.
pub fn ask_for(told: Diagnosis, source: &Source, credential: Option<&Credential>) -> Diagnosis {
    let step = |word: &str, secret: &Secret| {
        format!("Add this header in the sender. The {word} is {}.", place(secret))
    };
    let (told, is_token) = match credential {
        Some(Credential::Bearer(secret)) => {
            (told.line(step("token", secret), "Authorization: Bearer TOKEN"), true)
        }
        Some(Credential::ApiKey { key, header, .. }) => {
            (told.line(step("key", key), format!("{header}: KEY")), false)
        }
        Some(Credential::Basic { username, password }) => {
            let step = format!(
                "Set the user name {username} and the password in the sender. The password is {}.",
                place(password)
            );
            (told.fix(step), false)
        }
        None => return told,
    };
    told.proved_by(Action::ShowSecret { source: source.name.clone(), is_token })
}

/// An Action of TagoIO: where it can post, and with which header.
fn cannot_sign(delivery: &StoredDelivery, sources: &[Source]) -> Diagnosis {
    let cause = "This is a TagoIO Action, which cannot sign, but can send a header.";
    let told = Diagnosis::new("tagoio-unsigned", "A TagoIO Action cannot sign", cause);
    let Some(source) = sources.iter().find(|source| source.signature.scheme == Scheme::None) else {
        return told.fix("Add a source with signature = \"none\" and a credential, and let it post there.");
    };
    let path = format!("/webhook/{}", source.name);
    let host = delivery.headers.get("Host").and_then(|host| std::str::from_utf8(host).ok());
    let proto = delivery.headers.get("X-Forwarded-Proto").is_some_and(|proto| proto == b"https");
    let url =
        host.map_or(path.clone(), |host| format!("{}://{host}{path}", if proto { "https" } else { "http" }));
    let told = told.line("Change the Action's URL to this one.", url).posts_to(&source.name);
    ask_for(told, source, source.credentials.first())
}

/// Why a body is not JSON.
fn not_json(delivery: &StoredDelivery) -> Option<Diagnosis> {
    let (headers, body) = (&delivery.headers, &delivery.body);
    length_hint(delivery).or_else(|| match decode(headers, body, MAX_DECODED) {
        Ok(Cow::Owned(decoded)) => {
            let is_coding = |header: &&Header| header.name.eq_ignore_ascii_case("content-encoding");
            let plain: Headers = headers.iter().filter(|header| !is_coding(header)).cloned().collect();
            cause(&plain, &decoded)
        }
        Err(EncodingFault::Corrupt(_)) => Some(undecodable(headers, body)),
        _ => cause(headers, body),
    })
}

/// A JSON text whose content is the JSON object.
fn encoded_twice(delivery: &StoredDelivery) -> Option<Diagnosis> {
    let inner: String = serde_json::from_slice(&delivery.body).ok()?;
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&inner).ok().map(|_| {
        let said = "It is JSON inside a JSON text: the sender encodes it twice. | Encode it once: json=payload in Python's \
                    requests, not json=json.dumps(payload).";
        Diagnosis::of("json-twice", "The JSON is encoded twice", said)
    })
}

/// Records of sensors in the array form of RFC 8428.
fn senml(delivery: &StoredDelivery) -> Option<Diagnosis> {
    let records: Vec<serde_json::Value> = serde_json::from_slice(&delivery.body).ok()?;
    let first = records.first()?.as_object()?;
    let is_record = ["bn", "n"].iter().any(|key| first.get(*key).is_some_and(serde_json::Value::is_string))
        && !first.contains_key("variable");
    is_record.then(|| {
        let said = "It is SenML (RFC 8428): records with bn, n, v. An array must contain TagoIO's data points, each with a \
                    variable. | Put the records into an object, as {\"event\": \"reading\", \"data\": […]}.";
        Diagnosis::of("senml", "SenML needs an object around it", said)
    })
}
