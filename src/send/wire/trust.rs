//! Whose TLS certificates a client accepts.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::own_receiver::OwnReceiver;
use crate::domain::ListenAddress;

/// What is said of a server that is not our own receiver.
const NOT_OURS: &str = "the certificate there is not the one of this tagohook";

/// Whose TLS certificates a client accepts.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those that the system trusts.
    System,
    /// Only that of our own receiver, by its key.
    Own(OwnReceiver),
    /// Those that the system trusts, and on this machine also that of our own receiver.
    SystemAndOwn(OwnReceiver),
}

impl Trust {
    /// The receiver that has to be reached, if there is no other target.
    pub fn only(&self) -> Option<&ListenAddress> {
        match self {
            Self::Own(own) => Some(own.listen()),
            Self::System | Self::SystemAndOwn(_) => None,
        }
    }

    /// TLS for HTTP/1.1 clients.
    ///
    /// # Errors
    /// When the certificates of the system cannot be read, or TLS cannot be set up.
    pub fn client_config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let system = || Verifier::new(Arc::clone(&provider)).map(Arc::new);
        let verifier: Arc<dyn ServerCertVerifier> = match self {
            Self::System => system()?,
            Self::Own(own) => {
                Arc::new(Pinned { own: own.clone(), system: None, provider: Arc::clone(&provider) })
            }
            Self::SystemAndOwn(own) => {
                let system = Some(system()?);
                Arc::new(Pinned { own: own.clone(), system, provider: Arc::clone(&provider) })
            }
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Accepts our own receiver by its key, on this machine. `system` judges all others.
#[derive(Debug)]
struct Pinned {
    own: OwnReceiver,
    system: Option<Arc<Verifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_here = match server_name {
            ServerName::IpAddress(address) => self.own.is_at((*address).into()),
            _ => self.own.listen().socket().is_some() && self.system.is_none(),
        };
        if is_here && self.own.has_key_of(end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        match &self.system {
            Some(system) => {
                system.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Err(Error::General(NOT_OURS.to_owned())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
