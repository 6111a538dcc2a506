//! The fingerprint by which our own commands and replays recognise the receiver's certificate.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a certificate's public key, in the notation of curl's `--pinnedpubkey`: `sha256//` and base64. A
/// renewed certificate with the same key has the same pin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsPin(String);

impl TlsPin {
    /// The pin of a certificate.
    ///
    /// # Errors
    /// When it is not a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Self, rustls::Error> {
        let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        Ok(Self(format!("sha256//{}", STANDARD.encode(Sha256::digest(&key)))))
    }
}

/// What our own requests accept from the receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsPins {
    /// The certificate in force.
    #[serde(rename = "tls_pin")]
    pub now: TlsPin,
    /// For the seconds after a renewal, the one before: a connection may have begun with it.
    #[serde(rename = "former_tls_pin", default, skip_serializing_if = "Option::is_none")]
    pub former: Option<TlsPin>,
}

impl TlsPins {
    /// Whether a certificate has one of these keys.
    #[must_use]
    pub fn accept(&self, certificate: &CertificateDer<'_>) -> bool {
        TlsPin::of(certificate).is_ok_and(|shown| shown == self.now || Some(shown) == self.former)
    }
}

impl fmt::Display for TlsPin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
