//! TLS on the receiver's port: the handshake, and what reaches that port without one.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{AlertDescription, ServerConfig};
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::transport::Transport;
use super::wire::{Ahead, Wire};
use crate::config::{TlsPin, TlsPins};

/// The first byte of every TLS connection: a handshake record (RFC 8446, 5.1).
const HANDSHAKE: u8 = 0x16;
/// The only protocol that is spoken.
const HTTP_1_1: &[u8] = b"http/1.1";

/// The certificate in force; none: the port speaks HTTP. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Tls(Arc<ArcSwapOption<InForce>>);

#[derive(Debug)]
struct InForce {
    config: Arc<ServerConfig>,
    pins: TlsPins,
}

/// How a connection begins.
pub enum Begun<S: Transport> {
    /// A connection to serve, with bytes that were already read.
    Served(Wire<S>, Vec<u8>),
    /// Something else than TLS, usually HTTP: the connection, and its first bytes.
    Clear(Wire<S>, Vec<u8>),
    /// No handshake, and why.
    Failed(String),
}

impl Tls {
    /// Uses this certificate for new connections. Open ones keep theirs. `announce` gets the pins of a certificate before
    /// anybody can meet it.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn apply(
        &self,
        certificate: Option<Arc<CertifiedKey>>,
        announce: impl FnOnce(&TlsPins),
    ) -> Result<(), rustls::Error> {
        let former = self.pins();
        let next = certificate.map(|certificate| in_force(certificate, former.as_ref())).transpose()?;
        if let Some(next) = &next {
            announce(&next.pins);
        }
        self.0.store(next.map(Arc::new));
        Ok(())
    }

    /// By what our own requests recognise the certificate.
    pub fn pins(&self) -> Option<TlsPins> {
        self.0.load().as_ref().map(|in_force| in_force.pins.clone())
    }

    /// Has our own requests accept only the certificate in force. Returns whether they accepted the former one as well.
    pub fn forget_former(&self) -> bool {
        let Some(in_force) = self.0.load_full().filter(|in_force| in_force.pins.former.is_some()) else {
            return false;
        };
        let pins = TlsPins { former: None, ..in_force.pins.clone() };
        self.0.store(Some(Arc::new(InForce { config: Arc::clone(&in_force.config), pins })));
        true
    }

    /// Begins a connection. `ahead` was already read from `io`.
    pub async fn begin<S: Transport>(&self, mut io: S, mut ahead: Vec<u8>, within: Duration) -> Begun<S> {
        let Some(in_force) = self.0.load_full() else { return Begun::Served(Wire::Clear(io), ahead) };
        let handshake = async {
            if ahead.is_empty() && !matches!(io.read_buf(&mut ahead).await, Ok(1..)) {
                return Begun::Failed("the client closed the connection".to_owned());
            }
            if ahead.first() != Some(&HANDSHAKE) {
                return Begun::Clear(Wire::Clear(io), ahead);
            }
            match TlsAcceptor::from(Arc::clone(&in_force.config)).accept(Ahead::new(ahead, io)).await {
                Ok(stream) => Begun::Served(Wire::Tls(Box::new(stream)), Vec::new()),
                Err(fault) => Begun::Failed(reason(&fault)),
            }
        };
        match timeout(within, handshake).await {
            Ok(begun) => begun,
            Err(_) => Begun::Failed(format!("not finished within {} s", within.as_secs_f64())),
        }
    }
}

fn in_force(certificate: Arc<CertifiedKey>, former: Option<&TlsPins>) -> Result<InForce, rustls::Error> {
    let now = TlsPin::of(certificate.end_entity_cert()?)?;
    let former = former.map(|former| former.now.clone()).filter(|former| *former != now);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certificate)));
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(InForce { config: Arc::new(config), pins: TlsPins { now, former } })
}

/// Why a handshake failed, for the operator.
fn reason(fault: &std::io::Error) -> String {
    let inner = fault.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let text = match inner {
        Some(rustls::Error::AlertReceived(alert)) => match alert {
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown => {
                "the client does not trust the certificate: it needs the chain up to an authority that the client knows"
            }
            AlertDescription::CertificateExpired => "the client says that the certificate has expired",
            AlertDescription::UnrecognisedName => "the client asked for another host name",
            other => return format!("the client ended it: {other:?}"),
        },
        Some(rustls::Error::NoApplicationProtocol) => "the client offers no HTTP/1.1, the only protocol here",
        Some(rustls::Error::PeerIncompatible(_)) => {
            "the client offers no version or cipher that is safe; TLS 1.2 and 1.3 are"
        }
        Some(rustls::Error::InvalidMessage(_) | rustls::Error::InappropriateHandshakeMessage { .. }) => {
            "the client sent something that is not a handshake, or one that is too large"
        }
        Some(other) => return other.to_string(),
        None => "the client closed the connection",
    };
    text.to_owned()
}
