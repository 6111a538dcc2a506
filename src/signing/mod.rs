//! The signature schemes: verifies whether a body is signed with one of these secrets, and signs bodies.

mod candidates;
mod custom;
pub mod diagnose;
mod fault;
mod hex_hmac;
mod key;
mod platform;
mod request;
mod scheme;
mod standard_webhooks;
mod stripe;

pub use fault::SignatureFault;
pub use hex_hmac::{GITHUB_HEADER, TAGORUN_HEADER};
pub use key::{SecretFault, check_key, digest, library_warning};
pub use platform::header as platform_header;
pub use request::SignedRequest;
pub use scheme::{header_of, sign, verify, wanted};

#[cfg(test)]
mod tests;
