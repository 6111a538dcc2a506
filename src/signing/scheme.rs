//! The common entry point for all schemes.

use std::fmt;

use super::fault::SignatureFault;
use super::key::{SecretFault, usable_key};
use super::request::SignedRequest;
use super::{GITHUB_HEADER, TAGORUN_HEADER, custom, hex_hmac, platform, standard_webhooks, stripe};
use crate::domain::{Scheme, Secret, SignatureRule, Timestamp};

/// A valid signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The name of the secret that made it, `file:signing-secret`; `None` for the scheme `none`.
    pub secret: Option<&'a str>,
    /// The message id covered by the signature, if the scheme has one.
    pub signed_id: Option<Vec<u8>>,
}

impl fmt::Display for Match<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.secret {
            Some(name) => write!(out, "signed with {name}"),
            None => out.write_str("not checked"),
        }
    }
}

/// Checks the signature of `request` over the wire bytes of its body.
///
/// Every secret of the rule is valid. Signatures are compared in constant time.
///
/// # Errors
/// What is wrong: the header is missing or malformed, no secret matches the signature, or the signed time is stale.
pub fn verify<'a>(
    rule: &'a SignatureRule,
    request: &SignedRequest<'_>,
    now: Timestamp,
) -> Result<Match<'a>, SignatureFault> {
    let SignedRequest { headers, body, .. } = *request;
    let secret = match rule.scheme {
        Scheme::None => return Ok(Match { secret: None, signed_id: None }),
        Scheme::Tagorun => hex_hmac::verify(TAGORUN_HEADER, &rule.secrets, headers, body)?,
        Scheme::Github => hex_hmac::verify(GITHUB_HEADER, &rule.secrets, headers, body)?,
        Scheme::StandardWebhooks => {
            let (secret, id) = standard_webhooks::verify(rule, headers, body, now)?;
            return Ok(Match { secret: Some(secret.name()), signed_id: Some(id) });
        }
        Scheme::Stripe => stripe::verify(rule, headers, body, now)?,
        Scheme::Platform(platform) => platform::verify(platform, rule, headers, body, now)?,
        Scheme::Hmac(form) => {
            let (secret, id) = custom::verify(form, rule, request, now)?;
            return Ok(Match { secret: Some(secret.name()), signed_id: id });
        }
    };
    Ok(Match { secret: Some(secret.name()), signed_id: None })
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
        Scheme::Platform(platform) => platform::sign(platform, &key, message_id, timestamp, body),
        Scheme::Hmac(form) => {
            custom::sign(form, &key, message_id, timestamp, body).ok_or(SecretFault::SignsTarget)?
        }
    })
}

/// The header with the signature of a scheme.
#[must_use]
pub fn header_of(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Tagorun => TAGORUN_HEADER,
        Scheme::Github => GITHUB_HEADER,
        Scheme::StandardWebhooks => "webhook-signature",
        Scheme::Stripe => "Stripe-Signature",
        Scheme::Platform(platform) => platform::header(platform),
        Scheme::Hmac(form) => form.header.as_str(),
        Scheme::None => "no header",
    }
}

/// What a scheme asks a sender for, in words.
#[must_use]
pub fn wanted(scheme: Scheme) -> String {
    format!("an HMAC signature in {}", header_of(scheme))
}
