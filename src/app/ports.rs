//! The two ports, and what to say when one cannot be listened on.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use anyhow::anyhow;

use super::Addresses;
use crate::config::Config;

/// The ports, taken before anything is made: a start that fails for a busy port leaves nothing behind.
pub struct Ports {
    pub(super) receiver: TcpListener,
    pub(super) inspector: TcpListener,
}

impl Ports {
    /// Listens on both addresses of the configuration.
    ///
    /// # Errors
    /// When an address cannot be listened on, with what helps.
    pub fn listen(config: &Config) -> anyhow::Result<Self> {
        let (receiver, inspector) = (config.receiver.listen, config.inspector.listen);
        if receiver == inspector && receiver.port() != 0 {
            anyhow::bail!(
                "the receiver and the inspector cannot both listen on {receiver}; give each its own port"
            );
        }
        Ok(Self {
            receiver: listen(receiver, "--listen")?,
            inspector: listen(inspector, "--inspect-listen")?,
        })
    }

    /// Where they listen.
    ///
    /// # Errors
    /// When the system cannot say.
    pub(super) fn addresses(&self) -> std::io::Result<Addresses> {
        Ok(Addresses { receiver: self.receiver.local_addr()?, inspector: self.inspector.local_addr()? })
    }
}

fn listen(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|fault| match fault.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "{address} is already in use by another program; try {option} {}, which takes any free port",
            SocketAddr::new(address.ip(), 0)
        ),
        ErrorKind::AddrNotAvailable => {
            anyhow!("{address} is not an address of this machine; try {option} 127.0.0.1:{}", address.port())
        }
        ErrorKind::PermissionDenied => anyhow!(
            "{address} needs a privilege that this process lacks; try a port above 1023, as {option} {}",
            SocketAddr::new(address.ip(), 8080)
        ),
        _ => anyhow!("cannot listen on {address}: {fault}"),
    })
}
