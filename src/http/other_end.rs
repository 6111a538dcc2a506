//! Who is at the other end of a connection, as far as the connection itself tells.

use std::net::IpAddr;

use actix_web::HttpRequest;

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherEnd {
    /// Its address, in canonical form; none over a UNIX socket.
    pub peer: Option<IpAddr>,
    /// What its PROXY protocol header says.
    pub said: Said,
}

/// What the PROXY protocol header of a connection says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// There is no such header.
    Nothing,
    /// The connection is made for this client.
    Client(IpAddr),
    /// The proxy's own connection, such as a health check.
    Own,
    /// The connection is made for a client without an address.
    Nobody,
}

impl OtherEnd {
    /// A connection from `peer` without a PROXY protocol header.
    pub fn of(peer: Option<IpAddr>) -> Self {
        Self { peer: peer.map(|peer| peer.to_canonical()), said: Said::Nothing }
    }

    /// The other end of the connection that a request came over.
    pub fn of_request(request: &HttpRequest) -> Self {
        let known = request.conn_data::<Self>().copied();
        known.unwrap_or_else(|| Self::of(request.peer_addr().map(|peer| peer.ip())))
    }

    /// The nearest address that the connection itself names.
    pub fn nearest(&self) -> Option<IpAddr> {
        match self.said {
            Said::Client(client) => Some(client),
            Said::Nobody => None,
            Said::Nothing | Said::Own => self.peer,
        }
    }
}
