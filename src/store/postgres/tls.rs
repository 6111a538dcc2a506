//! Encrypted connections, as libpq's `sslmode` asks for them.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{Roots, TlsMode};

/// What opens an encrypted connection; `None` if none is wanted.
pub fn connector(mode: TlsMode, roots: &Roots) -> Result<Option<MakeRustlsConnect>, String> {
    if mode == TlsMode::Disable {
        return Ok(None);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|fault| format!("TLS cannot be set up: {fault}"))?;
    let verifier = match (mode, roots) {
        (TlsMode::VerifyFull, Roots::System) => {
            let config = builder
                .with_platform_verifier()
                .map_err(|fault| format!("the certificates of the system cannot be read: {fault}"))?;
            return Ok(Some(MakeRustlsConnect::new(config.with_no_client_auth())));
        }
        (TlsMode::VerifyFull | TlsMode::VerifyCa, Roots::File(path)) => {
            Some(trusting(path, Arc::clone(&provider))?)
        }
        _ => None,
    };
    let chosen: Arc<dyn ServerCertVerifier> = match verifier {
        Some(verifier) if mode == TlsMode::VerifyFull => verifier,
        verifier => Arc::new(Lenient { chain: verifier, provider }),
    };
    let config = builder.dangerous().with_custom_certificate_verifier(chosen).with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}

fn trusting(path: &Path, provider: Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, String> {
    let shown = path.display();
    let unusable = |what: &str| format!("sslrootcert: {shown} {what}");
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|_| unusable("cannot be read"))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|_| unusable("is not a PEM file of certificates"))?;
        roots.add(certificate).map_err(|_| unusable("contains an invalid certificate"))?;
    }
    if roots.is_empty() {
        return Err(unusable("contains no certificate"));
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|_| unusable("cannot be used"))
}

/// Accepts any name, and without `chain` any certificate.
#[derive(Debug)]
struct Lenient {
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        // The name is verified last, when the chain has been found to be right.
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
