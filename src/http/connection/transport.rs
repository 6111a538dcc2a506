//! The transport of a port: TCP or a UNIX socket.

use std::net::SocketAddr;

use actix_rt::net::{ActixStream, TcpStream, UnixStream};

/// The transport of a port.
pub trait Transport: ActixStream + Send + 'static {
    /// The peer's address, if it has one.
    fn peer(&self) -> Option<SocketAddr>;
    /// Disables delays before sending: responses are short and urgent.
    fn send_at_once(&self);
}

impl Transport for TcpStream {
    fn peer(&self) -> Option<SocketAddr> {
        self.peer_addr().ok()
    }

    fn send_at_once(&self) {
        let _ = self.set_nodelay(true);
    }
}

impl Transport for UnixStream {
    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    fn send_at_once(&self) {}
}
