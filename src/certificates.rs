//! Servers whose certificates are judged by a rule of our own. The rest of the handshake is verified as usual.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

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
