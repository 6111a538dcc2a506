//! Why a signature is invalid, and the rules that all schemes share.

use std::borrow::Cow;
use std::time::Duration;

use crate::domain::{Headers, Reason, Timestamp};

/// Why a signature is invalid. The text is for the operator and never contains an expected signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The header is absent or empty.
    #[error("no {header} header")]
    Missing {
        /// The header that is missing.
        header: &'static str,
    },
    /// The header does not have the scheme's form.
    #[error("{header}: {why}")]
    Malformed {
        /// The header.
        header: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// None of the secrets produces any of the signatures.
    #[error("{header}: no secret of this source makes this signature over these {bytes} bytes")]
    Mismatch {
        /// The header.
        header: &'static str,
        /// The length of the body.
        bytes: usize,
    },
    /// The signature is valid for the URL, and the body is not the one that the URL names.
    #[error("the body is not the one whose SHA-256 is in the parameter {parameter} of the URL")]
    BodyDigest {
        /// The query parameter.
        parameter: &'static str,
    },
    /// Nothing that is signed covers the body.
    #[error("{header} does not cover this body: it is not a form, and the URL has no parameter {parameter}")]
    BodyNotSigned {
        /// The header.
        header: &'static str,
        /// The query parameter.
        parameter: &'static str,
    },
    /// The signature is valid, but the signed time is too far from our clock.
    #[error("{}", stale(*signed_at, *distance_s, *tolerance_s))]
    Stale {
        /// The signed time.
        signed_at: Timestamp,
        /// Its distance from our clock, in whole seconds.
        distance_s: u64,
        /// The tolerance, in whole seconds.
        tolerance_s: u64,
    },
}

/// A signed time that is farther from our clock than this, in seconds, was not meant as seconds.
const CENTURY: u64 = 100 * 365 * 24 * 3_600;

fn stale(signed_at: Timestamp, distance_s: u64, tolerance_s: u64) -> String {
    let what = if distance_s > CENTURY {
        "the signed time is not in seconds since 1970".to_owned()
    } else {
        format!("signed at {signed_at}, {distance_s} s from our clock")
    };
    format!("{what}; the tolerance is {tolerance_s} s")
}

impl SignatureFault {
    /// The rejection reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Missing { .. } => Reason::SignatureMissing,
            Self::Malformed { .. } => Reason::SignatureMalformed,
            Self::Mismatch { .. } | Self::BodyDigest { .. } | Self::BodyNotSigned { .. } => {
                Reason::SignatureMismatch
            }
            Self::Stale { .. } => Reason::Stale,
        }
    }
}

/// A signed time must be within the tolerance of our clock, in both directions, inclusive.
pub(super) fn check_age(signed_at_s: i64, now: Timestamp, tolerance: Duration) -> Result<(), SignatureFault> {
    let distance_s = signed_at_s.abs_diff(now.as_secs());
    if distance_s <= tolerance.as_secs() {
        return Ok(());
    }
    let signed_at = Timestamp::from_secs(signed_at_s);
    Err(SignatureFault::Stale { signed_at, distance_s, tolerance_s: tolerance.as_secs() })
}

/// The value of a header. Several lines are equivalent to one line that joins them with commas (RFC 9110, 5.3), and a
/// proxy may join them. An absent or empty header is missing.
pub(super) fn joined<'a>(
    headers: &'a Headers,
    header: &'static str,
) -> Result<Cow<'a, [u8]>, SignatureFault> {
    let mut lines = headers.get_all(header).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return Err(SignatureFault::Missing { header }) };
    Ok(lines.fold(Cow::Borrowed(first), |all, line| Cow::Owned([&*all, b", ", line].concat())))
}
