//! Checks signatures.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Invalid, Request, Scheme};
use crate::domain::{Clock as _, Reason, Secret, SignatureRule, Timestamp};
use crate::signing::{self, SignatureFault, check_key};
use crate::telemetry::SystemClock;

/// How far a signed time may be from our clock, unless `Verifier::tolerance` says otherwise.
const TOLERANCE: Duration = Duration::from_secs(300);

/// Checks signatures of one sender.
///
/// Every secret is valid, so that a secret can be changed without a gap: add the new one, change it at the sender, remove the old
/// one. Signatures are compared in constant time.
///
/// ```
/// use tagohook::{Request, Scheme, SignatureErrorKind, Verifier};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(Scheme::TAGORUN, ["the-new-secret-0123", "a-secret-of-at-least-16-bytes"])?;
/// // Hex digits of either case, with or without `sha256=` in front.
/// let headers = [("X-TagoRUN-Signature", "sha256=1bd8e7221463afebff95345c20c7f7efb1b88317a32fcc4b58b04091d95d9966")];
/// let signed = verifier.verify(&Request::new(headers, b"{}"))?;
/// assert_eq!(signed.secret, 1, "it was the old one");
///
/// let error = verifier.verify(&Request::new(headers, b"{ }")).unwrap_err();
/// assert_eq!(error.kind(), SignatureErrorKind::Mismatch);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    pub(super) rule: SignatureRule,
}

/// A valid signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signed {
    /// The position of the secret that made it, in the order in which the secrets were given.
    pub secret: usize,
    /// The id that the signature covers, in schemes that sign one.
    pub id: Option<String>,
}

/// Why a signature is invalid. The text is for the operator; a sender should learn only the status 401.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct SignatureError {
    kind: SignatureErrorKind,
    said: String,
}

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureErrorKind {
    /// Its header, or another one that the scheme needs, is absent or empty.
    Missing,
    /// A header does not have the form of the scheme.
    Malformed,
    /// No secret makes this signature for these bytes.
    Mismatch,
    /// The signed time is further from our clock than the tolerance.
    Stale,
}

impl Verifier {
    /// A verifier with these secrets, each as the sender's page shows it: `whsec_…` included where it has that.
    ///
    /// # Errors
    /// When there is no secret, or one is too short or not of the scheme's form.
    pub fn new<S: AsRef<[u8]>>(
        scheme: Scheme,
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, Invalid> {
        let named = |(at, bytes): (usize, S)| Secret::new(name(at), bytes.as_ref());
        let secrets: Vec<Secret> = secrets.into_iter().enumerate().map(named).collect();
        if secrets.is_empty() {
            return Err(Invalid("a verifier needs at least one secret".to_owned()));
        }
        for secret in &secrets {
            check_key(scheme.0, secret).map_err(|fault| Invalid(format!("{}: {fault}", secret.name())))?;
        }
        Ok(Self { rule: SignatureRule { scheme: scheme.0, secrets, tolerance: TOLERANCE } })
    }

    /// With another tolerance than 5 minutes: how far a signed time may be from our clock, in both directions, inclusive. Schemes
    /// that sign no time ignore it.
    #[must_use]
    pub const fn tolerance(mut self, tolerance: Duration) -> Self {
        self.rule.tolerance = tolerance;
        self
    }

    /// Checks the signature of a request that has just arrived.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(&self, request: &Request<'_>) -> Result<Signed, SignatureError> {
        self.check(request, SystemClock.wall()).map_err(SignatureError::of)
    }

    /// Checks the signature of a request that arrived at another time than now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify_at(&self, request: &Request<'_>, arrived: SystemTime) -> Result<Signed, SignatureError> {
        self.check(request, timestamp(arrived)).map_err(SignatureError::of)
    }

    pub(super) fn check(&self, request: &Request<'_>, now: Timestamp) -> Result<Signed, SignatureFault> {
        let matched = signing::verify(&self.rule, &request.signed(), now)?;
        let is_it = |secret: &Secret| Some(secret.name()) == matched.secret;
        let secret = self.rule.secrets.iter().position(is_it).unwrap_or_default();
        Ok(Signed { secret, id: matched.signed_id.and_then(|id| String::from_utf8(id).ok()) })
    }
}

impl SignatureError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> SignatureErrorKind {
        self.kind
    }

    fn of(fault: SignatureFault) -> Self {
        let kind = match fault.reason() {
            Reason::SignatureMissing => SignatureErrorKind::Missing,
            Reason::SignatureMalformed => SignatureErrorKind::Malformed,
            Reason::Stale => SignatureErrorKind::Stale,
            _ => SignatureErrorKind::Mismatch,
        };
        Self { kind, said: fault.to_string() }
    }
}

/// The name of a secret in texts, counted from 1 as people do.
fn name(at: usize) -> String {
    format!("secret {}", at.saturating_add(1))
}

/// The instant of the system's type; before 1970 it is 1970.
pub(super) fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::default().plus(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
