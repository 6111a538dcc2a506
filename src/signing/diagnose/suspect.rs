//! A request with an invalid signature, and the secrets that may have signed it.

use std::time::Duration;

use crate::domain::{Credential, Headers, MaskKey, Scheme, Secret, SignatureRule, Source, Timestamp};
use crate::signing::fault::SignatureFault;
use crate::signing::request::SignedRequest;
use crate::signing::scheme::verify;

/// A request with an invalid signature.
pub struct Suspect<'a> {
    /// The scheme that its source requires.
    pub scheme: Scheme,
    /// The allowed difference between a signed time and our clock.
    pub tolerance: Duration,
    /// The secrets of its source, and those of others.
    pub secrets: Vec<Known<'a>>,
    /// When it was received.
    pub received_at: Timestamp,
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Header lines.
    pub headers: &'a Headers,
    /// The wire body.
    pub body: &'a [u8],
    /// The key of masked digests, where there may be some.
    pub mask: Option<&'a MaskKey>,
}

/// A secret that may have been used.
pub struct Known<'a> {
    /// The secret.
    pub secret: &'a Secret,
    /// The scheme it is meant for.
    pub scheme: Scheme,
    /// The other source it belongs to; `None` for the source's own.
    pub source: Option<&'a str>,
}

impl<'a> Known<'a> {
    /// Every secret of `sources`; those that the source `own` signs with are marked as its own. Credentials are meant for
    /// no scheme.
    pub fn of_all(sources: &'a [Source], own: &str) -> Vec<Self> {
        let of = |source: &'a Source| {
            let owner = (source.name != own).then_some(source.name.as_str());
            let scheme = source.signature.scheme;
            source.signature.secrets.iter().map(move |secret| Known { secret, scheme, source: owner })
        };
        let credentials = sources.iter().flat_map(|source| {
            let secrets = source.credentials.iter().flat_map(Credential::secrets);
            secrets.map(|secret| Known { secret, scheme: Scheme::None, source: Some(source.name.as_str()) })
        });
        sources.iter().flat_map(of).chain(credentials).collect()
    }
}

impl Suspect<'_> {
    /// The check's result under a scheme, with the source's own secrets, at the time it was received.
    pub(super) fn check(&self, scheme: Scheme) -> Result<(), SignatureFault> {
        let own = self.secrets.iter().filter(|known| known.source.is_none());
        let secrets: Vec<Secret> = own.map(|known| known.secret.clone()).collect();
        self.check_with(scheme, &secrets)
    }

    fn check_with(&self, scheme: Scheme, secrets: &[Secret]) -> Result<(), SignatureFault> {
        let rule = SignatureRule { scheme, secrets: secrets.to_vec(), tolerance: self.tolerance };
        let request =
            SignedRequest { method: self.method, target: self.path, headers: self.headers, body: self.body };
        verify(&rule, &request, self.received_at).map(|_| ())
    }

    /// Whether its signature is right under a scheme with these secrets.
    pub(super) fn holds_for(&self, scheme: Scheme, secrets: &[Secret]) -> bool {
        scheme != Scheme::None && self.check_with(scheme, secrets).is_ok()
    }
}
