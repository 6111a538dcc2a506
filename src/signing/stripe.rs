//! Stripe: `Stripe-Signature: t=SECONDS,v1=HEX[,v1=HEX]`, hex HMAC-SHA256 over `timestamp.body`.

use super::candidates::{Candidates, from_hex};
use super::fault::{SignatureFault, check_age, joined};
use super::key::digest;
use super::standard_webhooks::seconds;
use crate::domain::{Headers, Scheme, Secret, SignatureRule, Timestamp};

const HEADER: &str = "Stripe-Signature";

/// The header line of a signed message.
pub fn sign(key: &[u8], timestamp: Timestamp, body: &[u8]) -> Vec<(String, String)> {
    let seconds = timestamp.as_secs().to_string();
    let signature = hex::encode(digest(key, &[seconds.as_bytes(), b".", body]));
    vec![(HEADER.to_owned(), format!("t={seconds},v1={signature}"))]
}

/// The secret that signed `body`, at a time within the tolerance. Elements other than `t` and `v1` are ignored.
pub fn verify<'a>(
    rule: &'a SignatureRule,
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<&'a Secret, SignatureFault> {
    let malformed = |why| SignatureFault::Malformed { header: HEADER, why };
    let line = joined(headers, HEADER)?;
    let mut timestamp = None;
    let mut candidates = Candidates::default();
    for element in line.split(|byte| *byte == b',') {
        let element = element.trim_ascii();
        if let Some(text) = element.strip_prefix(b"t=") {
            // Two header lines in one request repeat the time.
            if timestamp.replace(text).is_some_and(|before| before != text) {
                return Err(malformed("t has two values"));
            }
        } else if let Some(text) = element.strip_prefix(b"v1=") {
            let signature =
                from_hex(text).ok_or_else(|| malformed("64 hex digits are expected after v1="))?;
            if !candidates.add(signature) {
                return Err(malformed("too many signatures"));
            }
        }
    }
    let timestamp = timestamp.ok_or_else(|| malformed("t= is missing"))?;
    let signed_at_s =
        seconds(timestamp).ok_or_else(|| malformed("seconds since 1970 are expected after t="))?;
    if candidates.is_empty() {
        return Err(malformed("v1= is missing"));
    }
    let signer = candidates
        .signer(Scheme::Stripe, &rule.secrets, &[timestamp, b".", body])
        .ok_or(SignatureFault::Mismatch { header: HEADER, bytes: body.len() })?;
    check_age(signed_at_s, now, rule.tolerance)?;
    Ok(signer)
}
