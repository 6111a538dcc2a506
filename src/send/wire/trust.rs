//! Whose TLS certificates a client accepts.

use std::sync::Arc;

use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, Error};
use rustls_platform_verifier::Verifier;

use super::own_receiver::OwnReceiver;
use crate::certificates::{Presented, accepting};
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
        let system = || Verifier::new(Arc::clone(&provider));
        let pinned = |own: &OwnReceiver, system: Option<Verifier>| {
            let own = own.clone();
            accepting(Arc::clone(&provider), move |server| judged(server, &own, system.as_ref()))
        };
        let verifier: Arc<dyn ServerCertVerifier> = match self {
            Self::System => Arc::new(system()?),
            Self::Own(own) => pinned(own, None),
            Self::SystemAndOwn(own) => pinned(own, Some(system()?)),
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
fn judged(
    server: &Presented<'_>,
    own: &OwnReceiver,
    system: Option<&Verifier>,
) -> Result<ServerCertVerified, Error> {
    let is_here = match server.name {
        ServerName::IpAddress(address) => own.is_at((*address).into()),
        ServerName::DnsName(name) if name.as_ref() == "localhost" => true,
        _ => own.listen().socket().is_some() && system.is_none(),
    };
    if is_here && own.has_key_of(server.certificate) {
        return Ok(ServerCertVerified::assertion());
    }
    system.map_or_else(|| Err(Error::General(NOT_OURS.to_owned())), |system| server.judged_by(system))
}
