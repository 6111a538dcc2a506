//! Listening sockets: TCP, or a UNIX socket with its file.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::domain::ListenAddress;

/// The mode of a socket file: the owner and the group may connect.
const MODE: u32 = 0o660;

/// A listening socket.
#[derive(Debug)]
pub enum Listening {
    /// A TCP port.
    Tcp(TcpListener),
    /// A UNIX socket.
    Unix(UnixListener),
}

impl Listening {
    /// Listens on `address`. A socket file that no program listens on is replaced.
    ///
    /// # Errors
    /// When the address is in use or cannot be used.
    pub fn on(address: &ListenAddress) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(address) => TcpListener::bind(address).map(Self::Tcp),
            ListenAddress::Unix(path) => {
                remove_stale(path)?;
                let listener = UnixListener::bind(path)?;
                fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
                Ok(Self::Unix(listener))
            }
        }
    }

    /// Its address: with the port that the system chose, or the path.
    ///
    /// # Errors
    /// When the system does not report it.
    pub fn address(&self) -> io::Result<ListenAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname().ok_or(ErrorKind::Unsupported)?;
                Ok(ListenAddress::Unix(path.to_owned()))
            }
        }
    }
}

/// Removes a socket file whose program ended without removing it. No other file is ever removed.
fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(file) = fs::symlink_metadata(path) else { return Ok(()) };
    if !file.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "a file that is not a socket is there"));
    }
    match UnixStream::connect(path) {
        Err(fault) if fault.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Ok(_) => Err(ErrorKind::AddrInUse.into()),
        Err(fault) => Err(fault),
    }
}
