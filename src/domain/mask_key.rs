//! The key of an installation's masks: what is masked can be recognised by those who have it, and read by nobody.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;

/// How many hex digits a mask has.
const DIGITS: usize = 16;

/// The key of all masks of an installation.
pub struct MaskKey(SecretBox<[u8; 32]>);

impl MaskKey {
    /// Masks with `key`, the installation's `store-key`.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(key)))
    }

    /// The mask of a value: `masked-` and sixteen hex digits of its keyed hash.
    #[must_use]
    pub fn mask(&self, value: &[u8]) -> String {
        let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()) else {
            return "masked".to_owned();
        };
        hash.update(value);
        let digest = hex::encode(hash.finalize().into_bytes());
        format!("masked-{}", digest.get(..DIGITS).unwrap_or_default())
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MaskKey")
    }
}
