//! Why a signature does not hold, and the rules that all schemes share.

use std::borrow::Cow;
use std::time::Duration;

use crate::domain::{Headers, Reason, Timestamp};

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

/// A signed time must lie within the tolerance of our clock, to either side, the edge included.
pub(super) fn check_age(signed_at_s: i64, now: Timestamp, tolerance: Duration) -> Result<(), SignatureFault> {
    let distance_s = signed_at_s.abs_diff(now.as_secs());
    if distance_s <= tolerance.as_secs() {
        return Ok(());
    }
    let signed_at = Timestamp::from_secs(signed_at_s);
    Err(SignatureFault::Stale { signed_at, distance_s, tolerance_s: tolerance.as_secs() })
}

/// The value of a header. Several lines mean what one line means that joins them with commas (RFC 9110, 5.3), and a proxy
/// may join them. Absent or empty is missing.
pub(super) fn joined<'a>(
    headers: &'a Headers,
    header: &'static str,
) -> Result<Cow<'a, [u8]>, SignatureFault> {
    let mut lines = headers.get_all(header).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return Err(SignatureFault::Missing { header }) };
    Ok(lines.fold(Cow::Borrowed(first), |all, line| Cow::Owned([&*all, b", ", line].concat())))
}
