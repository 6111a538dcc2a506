//! Why a signature does not match.

use std::time::SystemTime;

use super::verifier::timestamp;
use super::{Request, Verifier};
use crate::domain::{Clock as _, Reason, Timestamp};
use crate::inspect::{Diagnosis, signature_made_differently, signed_differently};
use crate::signing::SignatureFault;
use crate::signing::diagnose::{Known, Suspect, clock, diagnose};
use crate::telemetry::SystemClock;

/// Why a signature does not match: the cause, and what to change.
///
/// The common mistakes of senders are tried one or two at a time: a body that was parsed and written again by one of some eighty
/// serialisers, a secret with a line break, another encoding of the digest, a clock in another zone, and many more.
///
/// ```
/// use tagohook::{Request, Scheme, Signer, Verifier};
///
/// # fn main() -> Result<(), tagohook::Invalid> {
/// let secret = "a-secret-of-at-least-16-bytes";
/// // The sender signs what its JSON library writes, and sends what it had read:
/// let headers = Signer::new(Scheme::TAGORUN, secret)?.sign("", br#"{"a":1}"#);
/// let request = Request::new(headers, br#"{ "a": 1 }"#);
///
/// let autopsy = Verifier::new(Scheme::TAGORUN, [secret])?.autopsy(&request).unwrap();
/// assert_eq!(autopsy.headline, "The body was re-formatted after signing");
/// println!("{autopsy}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Autopsy {
    /// The cause's short name, the same for the same cause: `json-compact`, `secret-with-newline`.
    pub code: String,
    /// The cause in at most eight words.
    pub headline: String,
    /// What happened, in a sentence or two.
    pub cause: String,
    /// What to change, the first step first.
    pub cures: Vec<String>,
    /// How many mistakes were tried.
    pub tried: usize,
}

/// The headline, the cause and the cures, as one paragraph.
impl std::fmt::Display for Autopsy {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}. {}", self.headline, self.cause)?;
        self.cures.iter().try_for_each(|cure| write!(out, " {cure}"))
    }
}

impl Verifier {
    /// Why the signature of a request does not match; `None` if it is valid.
    ///
    /// This takes up to a second for a body of some megabytes: call it where somebody looks for the cause, not for each request.
    #[must_use]
    pub fn autopsy(&self, request: &Request<'_>) -> Option<Autopsy> {
        Autopsy::of(self, request, SystemClock.wall())
    }

    /// Why the signature of a request that arrived at another time than now does not match; `None` if it is valid.
    #[must_use]
    pub fn autopsy_at(&self, request: &Request<'_>, arrived: SystemTime) -> Option<Autopsy> {
        Autopsy::of(self, request, timestamp(arrived))
    }
}

impl Autopsy {
    fn of(verifier: &Verifier, request: &Request<'_>, now: Timestamp) -> Option<Self> {
        let fault = verifier.check(request, now).err()?;
        let rule = &verifier.rule;
        if fault.reason() == Reason::Stale {
            let found = clock(rule.scheme, &request.headers, now, rule.tolerance);
            return Some(Self::told(
                found.map_or_else(|| unknown(&fault), |found| signed_differently(&found)),
                0,
            ));
        }
        let known = |secret| Known { secret, scheme: rule.scheme, source: None };
        let found = diagnose(&Suspect {
            scheme: rule.scheme,
            tolerance: rule.tolerance,
            secrets: rule.secrets.iter().map(known).collect(),
            received_at: now,
            method: request.method,
            path: request.target,
            headers: &request.headers,
            body: request.body,
            mask: None,
        });
        let Some(found) = found else { return Some(Self::told(unknown(&fault), 0)) };
        let told = match &found.variant {
            Some(variant) => signature_made_differently(variant, &found),
            None => {
                let told = Diagnosis { cause: found.cause, ..unknown(&fault) };
                found.fixes.into_iter().fold(told, Diagnosis::fix)
            }
        };
        Some(Self::told(told, found.tried))
    }

    fn told(told: Diagnosis, tried: usize) -> Self {
        let Diagnosis { code, headline, cause, fixes, .. } = told;
        Self { code, headline, cause, cures: fixes.into_iter().map(|fix| fix.step).collect(), tried }
    }
}

/// The diagnosis where no mistake is known: what the check says.
fn unknown(fault: &SignatureFault) -> Diagnosis {
    let reason = fault.reason();
    Diagnosis::new(reason.as_str(), reason.headline(), format!("{fault}."))
}
