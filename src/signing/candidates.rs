//! The signatures in a header, and their comparison with those made from the secrets.

use subtle::{Choice, ConstantTimeEq as _};

use super::key::{digest, sender_keys};
use crate::domain::{Scheme, Secret};

/// The most signatures in one header; a rotation needs two.
const MAX_CANDIDATES: usize = 16;

/// Decoded signatures of one header.
#[derive(Debug, Default)]
pub struct Candidates(Vec<[u8; 32]>);

impl Candidates {
    /// Adds a signature; `false` if there are too many.
    pub fn add(&mut self, signature: [u8; 32]) -> bool {
        self.0.push(signature);
        self.0.len() <= MAX_CANDIDATES
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first secret that produces one of the candidates over `parts`. Every candidate is compared with the
    /// signature of every secret, in constant time.
    pub fn signer<'a>(&self, scheme: Scheme, secrets: &'a [Secret], parts: &[&[u8]]) -> Option<&'a Secret> {
        let mut signer = None;
        for secret in secrets {
            for key in sender_keys(scheme, secret) {
                let expected = digest(&key, parts);
                let is_match = self
                    .0
                    .iter()
                    .fold(Choice::from(0), |found, candidate| found | candidate.ct_eq(&expected));
                if bool::from(is_match) && signer.is_none() {
                    signer = Some(secret);
                }
            }
        }
        signer
    }
}

/// Sixty-four hex digits of either case as thirty-two bytes.
pub fn from_hex(text: &[u8]) -> Option<[u8; 32]> {
    let mut signature = [0; 32];
    hex::decode_to_slice(text, &mut signature).ok()?;
    Some(signature)
}
