//! Gate 4: is the body signed with one of the source's secrets?
//!
//! Only this gate creates a `VerifiedBody`, and the payload gate accepts nothing else.

use super::trace::{Finding, Gated};
use crate::domain::{Arrival, Scheme, Secret, SignatureRule, Timestamp};
use crate::signing::{self, SignedRequest};

/// A body whose signature was checked by its source's rule, including `none`. The bytes are those on the wire.
#[derive(Clone, Debug)]
pub struct VerifiedBody<'a> {
    bytes: &'a [u8],
    signed_id: Option<Vec<u8>>,
}

impl<'a> VerifiedBody<'a> {
    /// The wire bytes.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The id covered by the signature, if the scheme has one.
    pub fn signed_id(&self) -> Option<&[u8]> {
        self.signed_id.as_deref()
    }
}

/// Checks the signature of `arrival` over its wire bytes.
pub fn verify<'a>(rule: &SignatureRule, arrival: &'a Arrival, now: Timestamp) -> Gated<VerifiedBody<'a>> {
    let verified = VerifiedBody { bytes: &arrival.body, signed_id: None };
    if rule.scheme == Scheme::None {
        return Finding::new("", "signature = \"none\"").skip(verified);
    }
    let names: Vec<&str> = rule.secrets.iter().map(Secret::name).collect();
    let asked = format!("{} signature made with {}", rule.scheme.as_str(), names.join(" or "));
    let request = SignedRequest {
        method: &arrival.method,
        target: &arrival.target,
        headers: &arrival.headers,
        body: &arrival.body,
    };
    match signing::verify(rule, &request, now) {
        Ok(matched) => Finding::new(matched.to_string(), asked)
            .pass(VerifiedBody { signed_id: matched.signed_id, ..verified }),
        Err(fault) => Finding::new(fault.to_string(), asked).fail(fault.reason()),
    }
}
