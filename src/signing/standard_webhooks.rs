//! Standard Webhooks 1.0.0: base64 HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::candidates::Candidates;
use super::fault::{SignatureFault, check_age, only_line};
use super::key::digest;
use crate::domain::{Headers, Scheme, Secret, SignatureRule, Timestamp};

/// The three headers, and the names that Svix sends them under.
const NAMES: [[&str; 3]; 2] = [
    ["webhook-id", "webhook-timestamp", "webhook-signature"],
    ["svix-id", "svix-timestamp", "svix-signature"],
];

/// Only this version is symmetric; others are passed over, as the specification asks.
const VERSION: &[u8] = b"v1,";

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

/// The secret that signed `body`, at a time within the tolerance.
pub fn verify<'a>(
    rule: &'a SignatureRule,
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<&'a Secret, SignatureFault> {
    let [id_name, timestamp_name, signature_name] = names_in(headers);
    let signatures = only_line(headers, signature_name)?;
    let id = only_line(headers, id_name)?;
    let timestamp = only_line(headers, timestamp_name)?;
    let signed_at_s = seconds(timestamp).ok_or(SignatureFault::Malformed {
        header: timestamp_name,
        why: "seconds since 1970 are expected, digits only",
    })?;
    let candidates = read_signatures(signatures, signature_name)?;
    let signer =
        candidates.signer(Scheme::StandardWebhooks, &rule.secrets, &[id, b".", timestamp, b".", body]);
    let signer = signer.ok_or(SignatureFault::Mismatch { header: signature_name, bytes: body.len() })?;
    check_age(signed_at_s, now, rule.tolerance)?;
    Ok(signer)
}

fn names_in(headers: &Headers) -> [&'static str; 3] {
    let [standard, svix] = NAMES;
    let has = |names: [&'static str; 3]| names.into_iter().any(|name| headers.get(name).is_some());
    if !has(standard) && has(svix) { svix } else { standard }
}

/// Digits only: no sign, no fraction, nothing that another reader could read differently.
pub fn seconds(text: &[u8]) -> Option<i64> {
    let is_plain = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_plain)?.parse().ok()
}

fn read_signatures(line: &[u8], header: &'static str) -> Result<Candidates, SignatureFault> {
    let malformed = |why| SignatureFault::Malformed { header, why };
    let mut candidates = Candidates::default();
    for part in line.split(|byte| *byte == b' ').filter(|part| !part.is_empty()) {
        let Some(text) = part.strip_prefix(VERSION) else { continue };
        let decoded = STANDARD.decode(text).map_err(|_| malformed("base64 is expected after v1,"))?;
        let signature =
            decoded.try_into().map_err(|_| malformed("32 bytes in base64 are expected after v1,"))?;
        if !candidates.add(signature) {
            return Err(malformed("too many signatures"));
        }
    }
    if candidates.is_empty() {
        return Err(malformed("no v1 signature"));
    }
    Ok(candidates)
}
