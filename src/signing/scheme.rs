//! One way in for all schemes.

use std::fmt;
use std::time::Duration;

use super::key::{SecretFault, usable_key};
use super::{GITHUB_HEADER, TAGORUN_HEADER, hex_hmac, standard_webhooks, stripe};
use crate::domain::{Headers, Reason, Scheme, Secret, SignatureRule, Timestamp};

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The name of the secret that made it, `file:signing-secret`; `None` where the scheme is `none`.
    pub secret: Option<&'a str>,
}

impl fmt::Display for Match<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.secret {
            Some(name) => write!(out, "signed with {name}"),
            None => out.write_str("not checked"),
        }
    }
}

/// Why a signature does not hold. The text is the operator's; it never holds an expected signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The header is absent or empty.
    #[error("no {header} header")]
    Missing {
        /// The header that is missing.
        header: &'static str,
    },
    /// The header is not of the scheme's form.
    #[error("{header}: {why}")]
    Malformed {
        /// The header.
        header: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// None of the secrets makes any of the signatures.
    #[error("{header}: no secret of this source makes this signature over these {bytes} bytes")]
    Mismatch {
        /// The header.
        header: &'static str,
        /// The length of the body.
        bytes: usize,
    },
    /// The signature holds, but the signed time is too far from our clock.
    #[error("signed at {signed_at}, {distance_s} s from our clock; the tolerance is {tolerance_s} s")]
    Stale {
        /// The signed time.
        signed_at: Timestamp,
        /// How far that is from our clock, in whole seconds.
        distance_s: u64,
        /// What is allowed, in whole seconds.
        tolerance_s: u64,
    },
}

impl SignatureFault {
    /// The reason of the rejection.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Missing { .. } => Reason::SignatureMissing,
            Self::Malformed { .. } => Reason::SignatureMalformed,
            Self::Mismatch { .. } => Reason::SignatureMismatch,
            Self::Stale { .. } => Reason::Stale,
        }
    }
}

/// Checks the signature in `headers` over the wire bytes of `body`.
///
/// Every secret of the rule is valid. Signatures are compared in constant time.
///
/// # Errors
/// What is wrong: the header is missing or malformed, no secret makes the signature, or the signed time is stale.
pub fn verify<'a>(
    rule: &'a SignatureRule,
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<Match<'a>, SignatureFault> {
    let secret = match rule.scheme {
        Scheme::None => return Ok(Match { secret: None }),
        Scheme::Tagorun => hex_hmac::verify(TAGORUN_HEADER, &rule.secrets, headers, body)?,
        Scheme::Github => hex_hmac::verify(GITHUB_HEADER, &rule.secrets, headers, body)?,
        Scheme::StandardWebhooks => standard_webhooks::verify(rule, headers, body, now)?,
        Scheme::Stripe => stripe::verify(rule, headers, body, now)?,
    };
    Ok(Match { secret: Some(secret.name()) })
}

/// The header lines that sign `body` under `scheme`, as a sender sets them; none for `Scheme::None`.
///
/// # Errors
/// When the secret is not usable under the scheme.
pub fn sign(
    scheme: Scheme,
    secret: &Secret,
    message_id: &str,
    timestamp: Timestamp,
    body: &[u8],
) -> Result<Vec<(String, String)>, SecretFault> {
    let key = usable_key(scheme, secret)?;
    Ok(match scheme {
        Scheme::None => Vec::new(),
        Scheme::Tagorun => vec![(TAGORUN_HEADER.to_owned(), hex_hmac::sign(&key, body))],
        Scheme::Github => vec![(GITHUB_HEADER.to_owned(), format!("sha256={}", hex_hmac::sign(&key, body)))],
        Scheme::StandardWebhooks => standard_webhooks::sign(&key, message_id, timestamp, body),
        Scheme::Stripe => stripe::sign(&key, timestamp, body),
    })
}

/// A signed time must lie within the tolerance of our clock, to either side, the edge included.
pub(super) fn check_age(signed_at_s: i64, now: Timestamp, tolerance: Duration) -> Result<(), SignatureFault> {
    let distance_s = signed_at_s.abs_diff(now.as_secs());
    if distance_s <= tolerance.as_secs() {
        return Ok(());
    }
    let signed_at = Timestamp::from_secs(signed_at_s);
    Err(SignatureFault::Stale { signed_at, distance_s, tolerance_s: tolerance.as_secs() })
}

/// The one line of a header: absent or empty is missing, several lines are malformed.
pub(super) fn only_line<'a>(headers: &'a Headers, header: &'static str) -> Result<&'a [u8], SignatureFault> {
    let mut lines = headers.get_all(header);
    let line = lines.next().unwrap_or_default().trim_ascii();
    if lines.next().is_some() {
        return Err(SignatureFault::Malformed { header, why: "several header lines; one is expected" });
    }
    if line.is_empty() {
        return Err(SignatureFault::Missing { header });
    }
    Ok(line)
}
