//! Standard Webhooks 1.0.0: base64 HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::candidates::Candidates;
use super::fault::{SignatureFault, check_age, joined};
use super::key::digest;
use crate::domain::{Headers, Scheme, Secret, SignatureRule, Timestamp};

/// The three headers, and Svix's names for them.
const NAMES: [[&str; 3]; 2] = [
    ["webhook-id", "webhook-timestamp", "webhook-signature"],
    ["svix-id", "svix-timestamp", "svix-signature"],
];

/// Only this version is symmetric; others are ignored, as the specification requires.
const VERSION: &[u8] = b"v1";

/// The header lines of a signed message.
pub fn sign(key: &[u8], message_id: &str, timestamp: Timestamp, body: &[u8]) -> Vec<(String, String)> {
    let seconds = timestamp.as_secs().to_string();
    let signature = digest(key, &[message_id.as_bytes(), b".", seconds.as_bytes(), b".", body]);
    let [id_header, timestamp_header, signature_header] =
        ["webhook-id", "webhook-timestamp", "webhook-signature"];
    vec![
        (id_header.to_owned(), message_id.to_owned()),
        (timestamp_header.to_owned(), seconds),
        (signature_header.to_owned(), format!("v1,{}", STANDARD.encode(signature))),
    ]
}

/// The secret that signed `body`, at a time within the tolerance, and the signed id.
///
/// The two sets of headers are independent. If both are complete, either may be valid. If neither is, the more
/// complete one is judged.
pub fn verify<'a>(
    rule: &'a SignatureRule,
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<(&'a Secret, Vec<u8>), SignatureFault> {
    let count = |names: &[&'static str; 3]| names.iter().filter(|name| joined(headers, name).is_ok()).count();
    let [standard, svix] = NAMES;
    let (first, other) = if count(&svix) > count(&standard) { (svix, standard) } else { (standard, svix) };
    let judged = verify_set(first, rule, headers, body, now);
    if judged.is_err()
        && count(&other) == other.len()
        && let Ok(signed) = verify_set(other, rule, headers, body, now)
    {
        return Ok(signed);
    }
    judged
}

fn verify_set<'a>(
    [id_name, timestamp_name, signature_name]: [&'static str; 3],
    rule: &'a SignatureRule,
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<(&'a Secret, Vec<u8>), SignatureFault> {
    let signatures = joined(headers, signature_name)?;
    let id = joined(headers, id_name)?;
    let timestamp = joined(headers, timestamp_name)?;
    let signed_at_s = seconds(&timestamp).ok_or(SignatureFault::Malformed {
        header: timestamp_name,
        why: "seconds since 1970 are expected, digits only",
    })?;
    let (candidates, malformed) = read_signatures(&signatures);
    let content: [&[u8]; 5] = [&id, b".", &timestamp, b".", body];
    let signer = candidates.signer(Scheme::StandardWebhooks, &rule.secrets, &content);
    let signer = signer.ok_or(match malformed {
        Some(why) => SignatureFault::Malformed { header: signature_name, why },
        None => SignatureFault::Mismatch { header: signature_name, bytes: body.len() },
    })?;
    check_age(signed_at_s, now, rule.tolerance)?;
    Ok((signer, id.into_owned()))
}

/// Digits only: no sign, no fraction, nothing that another reader could interpret differently.
pub fn seconds(text: &[u8]) -> Option<i64> {
    let is_plain = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_plain)?.parse().ok()
}

/// The signatures in `v1,BASE64 v1,BASE64`, separated by blanks or, if lines were joined, commas. A malformed one does
/// not affect the others, as in the scheme's libraries. Its fault is reported only if none is valid.
fn read_signatures(line: &[u8]) -> (Candidates, Option<&'static str>) {
    let mut candidates = Candidates::default();
    let mut fault = None;
    let mut parts = line.split(|byte| matches!(byte, b' ' | b',')).filter(|part| !part.is_empty());
    while let Some(part) = parts.next() {
        if part != VERSION {
            continue;
        }
        let Ok(decoded) = STANDARD.decode(parts.next().unwrap_or_default()) else {
            fault = Some("base64 is expected after v1,");
            continue;
        };
        match decoded.try_into() {
            Ok(signature) if candidates.add(signature) => {}
            Ok(_) => return (Candidates::default(), Some("too many signatures")),
            Err(_) => fault = Some("32 bytes in base64 are expected after v1,"),
        }
    }
    if candidates.is_empty() {
        fault = fault.or(Some("no v1 signature"));
    }
    (candidates, fault)
}
