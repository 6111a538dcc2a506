//! Seals secrets from the API for the store, under the installation's `store-key`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// Separates this use of the `store-key` from every other one.
const PURPOSE: &[u8] = b"tagohook subscription secrets 1";
/// The same for the fingerprint.
const FINGERPRINT: &[u8] = b"tagohook store-key fingerprint 1";
/// The length of a nonce, in bytes; random nonces of this length do not repeat.
const NONCE: usize = 24;

/// Seals and opens secrets.
#[derive(Clone)]
pub struct Sealer(XChaCha20Poly1305);

impl Sealer {
    /// Uses a key derived from the `store-key`.
    #[must_use]
    pub fn new(store_key: &[u8; 32]) -> Self {
        // HMAC accepts keys of any length.
        let derived = Hmac::<Sha256>::new_from_slice(store_key).map(|mut derived| {
            derived.update(PURPOSE);
            derived.finalize().into_bytes()
        });
        Self(XChaCha20Poly1305::new(&derived.unwrap_or_default()))
    }

    /// The secret in a form that only this installation can read, in base64; different each time.
    #[must_use]
    pub fn seal(&self, secret: &[u8]) -> String {
        let nonce: [u8; NONCE] = rand::random();
        // The cipher fails only on texts of many gigabytes.
        let sealed = self.0.encrypt(&XNonce::from(nonce), secret).unwrap_or_default();
        STANDARD.encode([nonce.as_slice(), &sealed].concat())
    }

    /// The sealed secret; `None` if this installation did not seal it.
    #[must_use]
    pub fn open(&self, sealed: &str) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        self.0.decrypt(&XNonce::from(*nonce), sealed).ok()
    }
}

/// What nodes with one `store-key` have in common; it tells nothing about the key.
#[must_use]
pub fn fingerprint(store_key: &[u8; 32]) -> i64 {
    let digest = Sha256::digest([FINGERPRINT, store_key].concat());
    digest.first_chunk().map(|bytes| i64::from_be_bytes(*bytes)).unwrap_or_default()
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_keys() {
        assert_eq!(fingerprint(&[7; 32]), fingerprint(&[7; 32]));
        assert_ne!(fingerprint(&[7; 32]), fingerprint(&[8; 32]));
    }

    #[test]
    fn only_the_same_key_opens_what_was_sealed_and_no_changed_byte() {
        let sealer = Sealer::new(&[7; 32]);
        let sealed = sealer.seal(b"a secret");
        assert_eq!(sealer.open(&sealed).as_deref(), Some(&b"a secret"[..]));
        assert_ne!(sealed, sealer.seal(b"a secret"));
        assert_eq!(Sealer::new(&[8; 32]).open(&sealed), None);
        let mut bytes = STANDARD.decode(&sealed).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        assert_eq!(sealer.open(&STANDARD.encode(bytes)), None);
        assert_eq!(sealer.open("short"), None);
    }
}
