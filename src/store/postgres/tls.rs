//! Encrypted connections, as libpq's `sslmode` asks for them.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::certificates::{Presented, accepting};
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
        chain => accepting(provider, move |server| lenient(server, chain.as_deref())),
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
fn lenient(
    server: &Presented<'_>,
    chain: Option<&WebPkiServerVerifier>,
) -> Result<ServerCertVerified, Error> {
    let Some(chain) = chain else { return Ok(ServerCertVerified::assertion()) };
    // The name is verified last, when the chain has been found to be right.
    match server.judged_by(chain) {
        Err(Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => Ok(ServerCertVerified::assertion()),
        verified => verified,
    }
}
