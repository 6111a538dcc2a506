//! Hex HMAC-SHA256 of the body in one header: TagoRUN's, and GitHub's with its `sha256=`.

use super::candidates::{Candidates, from_hex};
use super::fault::{SignatureFault, joined};
use super::key::digest;
use crate::domain::{Headers, Scheme, Secret};

/// TagoRUN's header: the hex digest.
pub const TAGORUN_HEADER: &str = "X-TagoRUN-Signature";
/// GitHub's header: `sha256=` and the hex digest.
pub const GITHUB_HEADER: &str = "X-Hub-Signature-256";

const PREFIX: &[u8] = b"sha256=";

/// The hex digest of `body` under `key`.
pub fn sign(key: &[u8], body: &[u8]) -> String {
    hex::encode(digest(key, &[body]))
}

/// The secret that signed `body`. Each comma-separated signature may have one `sha256=` followed by blanks, and digits
/// in either case. One signature by any of the secrets is enough.
pub fn verify<'a>(
    header: &'static str,
    secrets: &'a [Secret],
    headers: &Headers,
    body: &[u8],
) -> Result<&'a Secret, SignatureFault> {
    let malformed = |why| SignatureFault::Malformed { header, why };
    let line = joined(headers, header)?;
    let mut candidates = Candidates::default();
    for text in line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|text| !text.is_empty()) {
        let digits = text.strip_prefix(PREFIX).map_or(text, <[u8]>::trim_ascii_start);
        if digits.starts_with(PREFIX) {
            return Err(malformed("sha256= appears twice"));
        }
        let signature = from_hex(digits).ok_or_else(|| malformed("64 hex digits are expected"))?;
        if !candidates.add(signature) {
            return Err(malformed("too many signatures"));
        }
    }
    if candidates.is_empty() {
        return Err(malformed("64 hex digits are expected"));
    }
    candidates
        .signer(Scheme::Tagorun, secrets, &[body])
        .ok_or(SignatureFault::Mismatch { header, bytes: body.len() })
}
