//! What a port is reached by: TCP or a UNIX socket.

use std::net::SocketAddr;

use actix_rt::net::{ActixStream, TcpStream, UnixStream};

/// What a port is reached by.
pub trait Transport: ActixStream + Send + 'static {
    /// The address at the other end, where it has one.
    fn peer(&self) -> Option<SocketAddr>;
    /// Sends what is written at once: answers are short and wanted now.
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
