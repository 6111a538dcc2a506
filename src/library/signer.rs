//! Signs a body as a sender does.

use std::time::SystemTime;

use super::verifier::timestamp;
use super::{Invalid, Scheme};
use crate::domain::{Clock as _, Secret, Timestamp};
use crate::signing::{self, SecretFault, check_key};
use crate::telemetry::SystemClock;

/// Signs bodies with one secret.
///
/// ```
/// use tagohook::{Scheme, Signer};
///
/// # fn main() -> Result<(), tagohook::Invalid> {
/// let signer = Signer::new(Scheme::TAGORUN, "a-secret-of-at-least-16-bytes")?;
/// let headers = signer.sign("", b"{}");
/// // printf '{}' | openssl dgst -sha256 -hmac a-secret-of-at-least-16-bytes
/// assert_eq!(headers[0].0, "X-TagoRUN-Signature");
/// assert_eq!(headers[0].1, "1bd8e7221463afebff95345c20c7f7efb1b88317a32fcc4b58b04091d95d9966");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Signer {
    scheme: Scheme,
    secret: Secret,
}

impl Signer {
    /// A signer with that secret, as the sender's page shows it: `whsec_…` included where it has that.
    ///
    /// # Errors
    /// When the secret is too short or not of the scheme's form, or the scheme signs the URL or the fields of a form, which are
    /// not known here.
    pub fn new(scheme: Scheme, secret: impl AsRef<[u8]>) -> Result<Self, Invalid> {
        let secret = Secret::new("the secret", secret.as_ref());
        check_key(scheme.0, &secret).map_err(Invalid)?;
        let signer = Self { scheme, secret };
        signer.lines("", Timestamp::default(), b"").map_err(|fault| Invalid(fault.to_string()))?;
        Ok(signer)
    }

    /// The header lines that sign `body` now. `id` is the id of the message; only some schemes sign and send it.
    #[must_use]
    pub fn sign(&self, id: &str, body: &[u8]) -> Vec<(String, String)> {
        self.signed(id, SystemClock.wall(), body)
    }

    /// The header lines that sign `body` at another time than now.
    #[must_use]
    pub fn sign_at(&self, id: &str, now: SystemTime, body: &[u8]) -> Vec<(String, String)> {
        self.signed(id, timestamp(now), body)
    }

    fn signed(&self, id: &str, now: Timestamp, body: &[u8]) -> Vec<(String, String)> {
        // `new` tried it; whether it works does not depend on id, time and body.
        self.lines(id, now, body).unwrap_or_default()
    }

    fn lines(&self, id: &str, now: Timestamp, body: &[u8]) -> Result<Vec<(String, String)>, SecretFault> {
        signing::sign(self.scheme.0, &self.secret, id, now, body)
    }
}
