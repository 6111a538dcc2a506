//! Converts a secret to the key of its scheme.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::{Scheme, Secret};

/// The shortest key of any scheme, in bytes.
pub const MIN_KEY: usize = 16;
/// The shortest key of a platform, in bytes: Twitch lets users choose at least ten characters, Dropbox's have fifteen.
const MIN_PLATFORM_KEY: usize = 10;
/// The prefix of a Standard Webhooks secret; base64 follows. Some services show it with the scheme's version.
const PREFIXES: [&[u8]; 2] = [b"whsec_", b"v1,whsec_"];
/// The allowed sizes of such a key, in bytes (Standard Webhooks 1.0.0, "Signature scheme").
const PREFIXED_KEY: std::ops::RangeInclusive<usize> = 24..=64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a secret is not a valid key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// It has too few bytes.
    #[error("{0} bytes; at least 16 are needed")]
    Short(usize),
    /// The part after `whsec_` is not base64.
    #[error("what follows whsec_ is not base64")]
    NotBase64,
    /// The decoded key is too short or too long.
    #[error("{0} bytes after whsec_; Standard Webhooks asks for 24 to 64")]
    PrefixedSize(usize),
    /// The scheme also signs what is not known when a request is made here.
    #[error("its scheme signs the URL or the fields of a form: such a request cannot be signed here")]
    SignsTarget,
}

/// The key of `secret` under `scheme`: the decoded bytes of a `whsec_` secret for Standard Webhooks, otherwise the
/// bytes themselves.
///
/// # Errors
/// When it is too short, too long, or invalid base64.
pub fn usable_key(scheme: Scheme, secret: &Secret) -> Result<Cow<'_, [u8]>, SecretFault> {
    let bytes = secret.expose();
    if let (Scheme::StandardWebhooks, Some(text)) = (scheme, after_prefix(bytes)) {
        let key = BASE64.decode(text).map_err(|_| SecretFault::NotBase64)?;
        if !PREFIXED_KEY.contains(&key.len()) {
            return Err(SecretFault::PrefixedSize(key.len()));
        }
        return Ok(Cow::Owned(key));
    }
    let least =
        if matches!(scheme, Scheme::Platform(_) | Scheme::Hmac(_)) { MIN_PLATFORM_KEY } else { MIN_KEY };
    if bytes.len() < least {
        return Err(SecretFault::Short(bytes.len()));
    }
    Ok(Cow::Borrowed(bytes))
}

fn after_prefix(bytes: &[u8]) -> Option<&[u8]> {
    PREFIXES.iter().find_map(|prefix| bytes.strip_prefix(*prefix))
}

/// The key in a Standard Webhooks secret without its prefix, as the scheme's libraries read it.
fn bare_key(scheme: Scheme, secret: &Secret) -> Option<Vec<u8>> {
    if scheme != Scheme::StandardWebhooks || after_prefix(secret.expose()).is_some() {
        return None;
    }
    BASE64.decode(secret.expose()).ok().filter(|key| PREFIXED_KEY.contains(&key.len()))
}

/// Every key that a sender may derive from `secret`: the usable one, and the decoded one if the prefix `whsec_` was
/// omitted.
pub fn sender_keys(scheme: Scheme, secret: &Secret) -> Vec<Cow<'_, [u8]>> {
    let usable = usable_key(scheme, secret).ok();
    usable.into_iter().chain(bare_key(scheme, secret).map(Cow::Owned)).collect()
}

/// Why no Standard Webhooks library could verify signatures made with this secret.
#[must_use]
pub fn library_warning(scheme: Scheme, secret: &Secret) -> Option<String> {
    if scheme != Scheme::StandardWebhooks || after_prefix(secret.expose()).is_some() {
        return None;
    }
    let mut warning = "The secret has no whsec_ in front and is used as text. A Standard Webhooks library that is given the \
                       same text verifies nothing. Give the receiver whsec_ and the base64 of the text: \
                       printf 'whsec_%s' \"$(printf %s \"$SECRET\" | base64 -w0)\"."
        .to_owned();
    if bare_key(scheme, secret).is_some() {
        warning.push_str(" Or write whsec_ in front of it in both places; then both decode it.");
    }
    Some(warning)
}

/// Checks that `secret` is a valid key of `scheme`.
///
/// # Errors
/// When it is not, in one sentence.
pub fn check_key(scheme: Scheme, secret: &Secret) -> Result<(), String> {
    usable_key(scheme, secret).map(|_| ()).map_err(|fault| fault.to_string())
}

/// HMAC-SHA256 over the concatenated parts.
pub fn digest(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC accepts keys of any length, so this cannot fail; an all-zero digest would match nothing.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
