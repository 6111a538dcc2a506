//! The client of a connection, as far as the connection itself shows.

use std::net::IpAddr;

use actix_web::HttpRequest;

/// The client of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherEnd {
    /// Its address, in canonical form; `None` over a UNIX socket.
    pub peer: Option<IpAddr>,
    /// The contents of its PROXY protocol header.
    pub said: Said,
}

/// The contents of a connection's PROXY protocol header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// There is no such header.
    Nothing,
    /// The connection belongs to this client.
    Client(IpAddr),
    /// The proxy's own connection, such as a health check.
    Own,
    /// The connection belongs to a client without an address.
    Nobody,
}

impl OtherEnd {
    /// A connection from `peer` without a PROXY protocol header.
    pub fn of(peer: Option<IpAddr>) -> Self {
        Self { peer: peer.map(|peer| peer.to_canonical()), said: Said::Nothing }
    }

    /// The client of a request's connection.
    pub fn of_request(request: &HttpRequest) -> Self {
        let known = request.conn_data::<Self>().copied();
        known.unwrap_or_else(|| Self::of(request.peer_addr().map(|peer| peer.ip())))
    }

    /// The nearest address according to the connection itself.
    pub fn nearest(&self) -> Option<IpAddr> {
        match self.said {
            Said::Client(client) => Some(client),
            Said::Nobody => None,
            Said::Nothing | Said::Own => self.peer,
        }
    }
}
