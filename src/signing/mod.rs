//! The signature schemes: is this body signed with one of these secrets, and how is one signed.

mod candidates;
pub mod diagnose;
mod fault;
mod hex_hmac;
mod key;
mod platform;
mod scheme;
mod standard_webhooks;
mod stripe;

pub use hex_hmac::{GITHUB_HEADER, TAGORUN_HEADER};
pub use key::{SecretFault, check_key, digest, library_warning};
pub use platform::header as platform_header;
pub use scheme::{sign, verify};

#[cfg(test)]
mod tests;
