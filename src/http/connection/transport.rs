//! The transport of a port: TCP or a UNIX socket.

use std::net::SocketAddr;

use actix_rt::net::{ActixStream, TcpStream, UnixStream};

/// The transport of a port.
pub trait Transport: ActixStream + Send + 'static {
    /// The peer's address, if it has one.
    fn peer(&self) -> Option<SocketAddr>;
    /// Whether it comes from this machine.
    fn is_own(&self) -> bool;
    /// Disables delays before sending: responses are short and urgent.
    fn send_at_once(&self);
}

impl Transport for TcpStream {
    fn peer(&self) -> Option<SocketAddr> {
        self.peer_addr().ok()
    }

    fn is_own(&self) -> bool {
        let own = self.local_addr().map(|address| address.ip().to_canonical());
        self.peer_addr().is_ok_and(|peer| {
            let peer = peer.ip().to_canonical();
            peer.is_loopback() || own.is_ok_and(|own| own == peer)
        })
    }

    fn send_at_once(&self) {
        let _ = self.set_nodelay(true);
    }
}

impl Transport for UnixStream {
    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    fn is_own(&self) -> bool {
        true
    }

    fn send_at_once(&self) {}
}
