//! From a secret to the key of its scheme.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::{Scheme, Secret};

/// The shortest key of any scheme, in bytes.
pub const MIN_KEY: usize = 16;
/// What marks a Standard Webhooks secret; base64 follows.
const PREFIX: &[u8] = b"whsec_";
/// The sizes of such a key, in bytes (Standard Webhooks 1.0.0, "Signature scheme").
const PREFIXED_KEY: std::ops::RangeInclusive<usize> = 24..=64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a secret is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// It has too few bytes.
    #[error("{0} bytes; at least 16 are needed")]
    Short(usize),
    /// What follows `whsec_` is not base64.
    #[error("what follows whsec_ is not base64")]
    NotBase64,
    /// The decoded key is too short or too long.
    #[error("{0} bytes after whsec_; Standard Webhooks asks for 24 to 64")]
    PrefixedSize(usize),
}

/// The key that `secret` is under `scheme`: the decoded bytes of a `whsec_` secret of Standard Webhooks, else the
/// bytes as they are.
///
/// # Errors
/// When it is too short, too long, or not the base64 that it claims to be.
pub fn usable_key(scheme: Scheme, secret: &Secret) -> Result<Cow<'_, [u8]>, SecretFault> {
    let bytes = secret.expose();
    if let (Scheme::StandardWebhooks, Some(text)) = (scheme, bytes.strip_prefix(PREFIX)) {
        let key = BASE64.decode(text).map_err(|_| SecretFault::NotBase64)?;
        if !PREFIXED_KEY.contains(&key.len()) {
            return Err(SecretFault::PrefixedSize(key.len()));
        }
        return Ok(Cow::Owned(key));
    }
    if bytes.len() < MIN_KEY {
        return Err(SecretFault::Short(bytes.len()));
    }
    Ok(Cow::Borrowed(bytes))
}

/// Says why `secret` is no key of `scheme`.
///
/// # Errors
/// Where it is none, in a sentence.
pub fn check_key(scheme: Scheme, secret: &Secret) -> Result<(), String> {
    usable_key(scheme, secret).map(|_| ()).map_err(|fault| fault.to_string())
}

/// HMAC-SHA256 over the parts, one after the other.
pub fn digest(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // A key of any length is one; the fault cannot occur, and a digest of nothing matches nothing.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
