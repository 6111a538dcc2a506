//! The ports, opened before anything is created: a start that fails on a busy port leaves nothing behind.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};

use anyhow::anyhow;

use crate::config::Config;
use crate::domain::ListenAddress;
use crate::http::Listening;

/// Where the program listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The receiver's port or socket.
    pub receiver: ListenAddress,
    /// The inspector's port.
    pub inspector: SocketAddr,
}

impl Addresses {
    /// Removes the socket file: no program listens there any more.
    pub fn leave(&self) {
        if let Some(path) = self.receiver.socket() {
            // A remaining file is replaced by the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The ports.
pub struct Ports {
    pub(super) receiver: Listening,
    pub(super) inspector: TcpListener,
}

impl Ports {
    /// Listens on both configured addresses.
    ///
    /// # Errors
    /// When an address cannot be used, with advice.
    pub fn listen(config: &Config) -> anyhow::Result<Self> {
        let (receiver, inspector) = (&config.receiver.listen, config.inspector.listen);
        if *receiver == ListenAddress::Tcp(inspector) && inspector.port() != 0 {
            anyhow::bail!(
                "the receiver and the inspector cannot both listen on {receiver}; give each its own port"
            );
        }
        let busy = |fault| match receiver {
            ListenAddress::Tcp(address) => tcp_fault(&fault, *address, "--listen"),
            ListenAddress::Unix(_) => socket_fault(&fault, receiver),
        };
        Ok(Self {
            receiver: Listening::on(receiver).map_err(busy)?,
            inspector: TcpListener::bind(inspector)
                .map_err(|fault| tcp_fault(&fault, inspector, "--inspect-listen"))?,
        })
    }

    pub(super) fn addresses(&self) -> io::Result<Addresses> {
        Ok(Addresses { receiver: self.receiver.address()?, inspector: self.inspector.local_addr()? })
    }
}

fn socket_fault(fault: &io::Error, address: &ListenAddress) -> anyhow::Error {
    match fault.kind() {
        ErrorKind::AddrInUse => {
            anyhow!("{address} is already in use by another program; choose another path")
        }
        ErrorKind::AlreadyExists => anyhow!("{address}: {fault}; remove it, or choose another path"),
        ErrorKind::NotFound => anyhow!("{address} cannot be made: its folder does not exist"),
        ErrorKind::PermissionDenied => {
            anyhow!("{address} cannot be made: this process may not write to its folder")
        }
        _ => anyhow!("cannot listen on {address}: {fault}"),
    }
}

fn tcp_fault(fault: &io::Error, address: SocketAddr, option: &str) -> anyhow::Error {
    match fault.kind() {
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
    }
}
