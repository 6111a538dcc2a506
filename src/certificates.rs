//! TLS with servers: certificates that are judged by a rule of our own, and why a handshake failed, in plain words.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, DigitallySignedStruct, Error, InvalidMessage, SignatureScheme,
};

/// What is said of a port where something else than TLS is spoken.
pub const NO_TLS: &str = "it does not speak TLS on that port";

/// Why a handshake with a server failed. "It" is the server.
pub fn told(fault: &Error) -> String {
    match fault {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            format!("{NO_TLS}; if it speaks HTTP, the URL begins with http://")
        }
        Error::InvalidCertificate(fault) => of_certificate(fault),
        Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "it does not speak TLS 1.2 or 1.3".to_owned()
        }
        Error::AlertReceived(alert) => format!("it refuses the TLS handshake: {alert:?}"),
        // The reason of a rule of ours.
        Error::General(reason) => reason.clone(),
        other => format!("TLS failed: {other}"),
    }
}

fn of_certificate(fault: &CertificateError) -> String {
    match fault {
        CertificateError::UnknownIssuer => {
            "its certificate is not from an authority that this machine trusts".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet, by the clock of this machine".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            // As DnsName("example.com").
            let names = presented.iter().map(|name| name.split('"').nth(1).unwrap_or(name));
            format!("its certificate is for another name: {}", names.collect::<Vec<_>>().join(", "))
        }
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        // The verifier of the system has no variant for it.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "its certificate is self-signed".to_owned()
        }
        other => format!("its certificate is not valid: {other}"),
    }
}

/// What a server presents.
pub struct Presented<'a> {
    /// Its own certificate.
    pub certificate: &'a CertificateDer<'a>,
    /// The certificates between that and an authority.
    pub intermediates: &'a [CertificateDer<'a>],
    /// The name under which it was reached.
    pub name: &'a ServerName<'a>,
    /// What an authority said of the certificate.
    pub ocsp: &'a [u8],
    /// The time of the handshake.
    pub now: UnixTime,
}

impl Presented<'_> {
    /// What another verifier says of it.
    ///
    /// # Errors
    /// When it does not accept it.
    pub fn judged_by(&self, verifier: &dyn ServerCertVerifier) -> Result<ServerCertVerified, Error> {
        verifier.verify_server_cert(self.certificate, self.intermediates, self.name, self.ocsp, self.now)
    }
}

/// Accepts what `rule` accepts, if the server has the key of its certificate.
pub fn accepting<R>(provider: Arc<CryptoProvider>, rule: R) -> Arc<dyn ServerCertVerifier>
where
    R: Fn(&Presented<'_>) -> Result<ServerCertVerified, Error> + Send + Sync + 'static,
{
    Arc::new(Accepting { provider, rule })
}

struct Accepting<R> {
    provider: Arc<CryptoProvider>,
    rule: R,
}

impl<R> fmt::Debug for Accepting<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Accepting").finish_non_exhaustive()
    }
}

impl<R> ServerCertVerifier for Accepting<R>
where
    R: Fn(&Presented<'_>) -> Result<ServerCertVerified, Error> + Send + Sync,
{
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        (self.rule)(&Presented { certificate, intermediates, name, ocsp, now })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_that_failed_is_told_in_plain_words() {
        let name = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("a.example").unwrap(),
            presented: vec!["DnsName(\"b.example\")".to_owned(), "DnsName(\"c.example\")".to_owned()],
        };
        for (fault, words) in [
            (Error::InvalidCertificate(name), "its certificate is for another name: b.example, c.example"),
            (Error::InvalidCertificate(CertificateError::Expired), "its certificate has expired"),
            (Error::InvalidCertificate(CertificateError::UnknownIssuer), "not from an authority"),
            (Error::AlertReceived(AlertDescription::ProtocolVersion), "it does not speak TLS 1.2 or 1.3"),
            (Error::AlertReceived(AlertDescription::HandshakeFailure), "HandshakeFailure"),
            (Error::General("ours".to_owned()), "ours"),
        ] {
            assert!(told(&fault).contains(words), "{}", told(&fault));
        }
    }
}
