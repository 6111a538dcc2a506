//! Gate 4: is the body signed with one of the source's secrets?
//!
//! Only this gate makes a `VerifiedBody`, and the payload gate takes nothing else.

use super::trace::{Finding, Gated};
use crate::domain::{Arrival, Scheme, Secret, SignatureRule, Timestamp};
use crate::signing;

/// A body whose signature was checked by its source's rule, `none` included. The bytes are those of the wire.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedBody<'a>(&'a [u8]);

impl<'a> VerifiedBody<'a> {
    /// The wire bytes.
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Checks the signature of `arrival` over its wire bytes.
pub fn verify<'a>(rule: &SignatureRule, arrival: &'a Arrival, now: Timestamp) -> Gated<VerifiedBody<'a>> {
    let verified = VerifiedBody(&arrival.body);
    if rule.scheme == Scheme::None {
        return Finding::new("", "signature = \"none\"").skip(verified);
    }
    let names: Vec<&str> = rule.secrets.iter().map(Secret::name).collect();
    let asked = format!("{} signature made with {}", rule.scheme.as_str(), names.join(" or "));
    match signing::verify(rule, &arrival.headers, &arrival.body, now) {
        Ok(matched) => Finding::new(matched.to_string(), asked).pass(verified),
        Err(fault) => Finding::new(fault.to_string(), asked).fail(fault.reason()),
    }
}
