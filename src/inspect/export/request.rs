//! A delivery's request, with a gap where each credential was.

use crate::domain::{Credential, Source, StoredDelivery, is_secret_parameter, names_credential_header};

/// What stands for a credential.
pub const CREDENTIAL: &str = "$CREDENTIAL";
/// Header lines that belong to one connection, or that whoever sends it writes anew (RFC 9110, 7.6.1).
const OF_THE_CONNECTION: [&str; 11] = [
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "content-length",
];

/// The header lines that sign, of every scheme.
const SIGNATURES: [&str; 10] = [
    "x-tagorun-signature",
    "x-hub-signature",
    "x-hub-signature-256",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
    "stripe-signature",
];

/// Whether a header line is part of a signature.
#[must_use]
pub fn is_signature(name: &str) -> bool {
    SIGNATURES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a header line belongs to its connection and is not sent again.
#[must_use]
pub fn is_of_the_connection(name: &str) -> bool {
    OF_THE_CONNECTION.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The headers that the sources use for credentials.
#[must_use]
pub fn credential_headers(sources: &[Source]) -> Vec<String> {
    let of = |credential: &Credential| match credential {
        Credential::ApiKey { header, secret_header, .. } => vec![header.clone(), secret_header.clone()],
        Credential::Bearer(_) | Credential::Basic { .. } => Vec::new(),
    };
    sources.iter().flat_map(|source| &source.credentials).flat_map(of).collect()
}

/// A piece of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Bytes(Vec<u8>),
    Credential,
}

/// The request that a delivery was.
pub struct Request<'d> {
    pub method: &'d str,
    /// Path and query.
    pub target: Vec<Piece>,
    /// All header lines, those of the connection too.
    pub headers: Vec<(&'d str, Vec<Piece>)>,
    pub body: &'d [u8],
}

impl<'d> Request<'d> {
    pub fn of(delivery: &'d StoredDelivery, more: &[String]) -> Self {
        let headers = delivery.headers.iter().map(|header| {
            let is_credential = names_credential_header(&header.name)
                || more.iter().any(|name| name.eq_ignore_ascii_case(&header.name));
            let value = if is_credential && !header.value.is_empty() {
                masked(&header.value)
            } else {
                vec![Piece::Bytes(header.value.clone())]
            };
            (header.name.as_str(), value)
        });
        Self {
            method: &delivery.row.method,
            target: target(&delivery.row.path),
            headers: headers.collect(),
            body: &delivery.body,
        }
    }

    /// The header lines that are sent again.
    pub fn sent_again(&self) -> impl Iterator<Item = &(&'d str, Vec<Piece>)> {
        self.headers.iter().filter(|(name, _)| !is_of_the_connection(name))
    }

    /// Whether a header is among those.
    pub fn has(&self, name: &str) -> bool {
        self.sent_again().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// The first value of a header, as far as it is kept.
    pub fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| text(value))
    }
}

/// `Bearer` and `Basic` stay, what follows is a credential.
fn masked(value: &[u8]) -> Vec<Piece> {
    let scheme = value.iter().position(|byte| *byte == b' ').and_then(|at| value.get(..=at));
    match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case(b"bearer ") || scheme.eq_ignore_ascii_case(b"basic ") => {
            vec![Piece::Bytes(scheme.to_vec()), Piece::Credential]
        }
        _ => vec![Piece::Credential],
    }
}

/// Path and query; the values of secret parameters are credentials.
fn target(path: &str) -> Vec<Piece> {
    let Some((before, query)) = path.split_once('?') else { return vec![Piece::Bytes(path.into())] };
    let mut pieces = Vec::new();
    let mut run = format!("{before}?");
    for (at, pair) in query.split('&').enumerate() {
        if at > 0 {
            run.push('&');
        }
        match pair.split_once('=') {
            Some((name, value)) if is_secret_parameter(name) && !value.is_empty() => {
                run.push_str(name);
                run.push('=');
                pieces.push(Piece::Bytes(std::mem::take(&mut run).into_bytes()));
                pieces.push(Piece::Credential);
            }
            _ => run.push_str(pair),
        }
    }
    if !run.is_empty() {
        pieces.push(Piece::Bytes(run.into_bytes()));
    }
    pieces
}

/// The pieces as text, `$CREDENTIAL` for a credential.
pub fn text(pieces: &[Piece]) -> String {
    String::from_utf8_lossy(&bytes(pieces)).into_owned()
}

/// The pieces as bytes, `$CREDENTIAL` for a credential.
pub fn bytes(pieces: &[Piece]) -> Vec<u8> {
    let one = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => bytes.clone(),
        Piece::Credential => CREDENTIAL.into(),
    };
    pieces.iter().flat_map(one).collect()
}
