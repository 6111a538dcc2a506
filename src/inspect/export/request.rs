//! A delivery's request, with a gap where each credential was.

use super::variables::Variables;
use crate::domain::{Credential, Source, StoredDelivery, is_secret_parameter, names_credential_header};

/// Header lines that belong to one connection, or that each client writes itself (RFC 9110, 7.6.1).
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
    /// The variable of that name.
    Credential(String),
}

/// The request that a delivery was.
pub struct Request<'d> {
    pub method: &'d str,
    /// Path and query.
    pub target: Vec<Piece>,
    /// All header lines, those of the connection too.
    pub headers: Vec<(&'d str, Vec<Piece>)>,
    pub body: &'d [u8],
    /// The variables for its credentials.
    pub variables: Variables,
}

impl<'d> Request<'d> {
    pub fn of(delivery: &'d StoredDelivery, more: &[String]) -> Self {
        let mut variables = Variables::default();
        let mut target = target(&delivery.row.path, &mut variables);
        let headers = delivery.headers.iter().map(|header| {
            let is_credential = names_credential_header(&header.name)
                || more.iter().any(|name| name.eq_ignore_ascii_case(&header.name));
            let value = if is_credential && !header.value.is_empty() {
                masked(&header.name, &header.value, &mut variables)
            } else {
                vec![Piece::Bytes(header.value.clone())]
            };
            (header.name.as_str(), value)
        });
        let mut headers: Vec<(&str, Vec<Piece>)> = headers.collect();
        if variables.shorten().is_some() {
            let pieces = headers.iter_mut().flat_map(|(_, value)| value).chain(&mut target);
            for piece in pieces {
                if let Piece::Credential(name) = piece {
                    Variables::short().clone_into(name);
                }
            }
        }
        Self { method: &delivery.row.method, target, headers, body: &delivery.body, variables }
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
fn masked(name: &str, value: &[u8], variables: &mut Variables) -> Vec<Piece> {
    let blank = value.iter().position(|byte| *byte == b' ');
    let split = blank.and_then(|at| value.split_at_checked(at.saturating_add(1)));
    let (scheme, kept) = match split {
        Some((scheme, kept))
            if scheme.eq_ignore_ascii_case(b"bearer ") || scheme.eq_ignore_ascii_case(b"basic ") =>
        {
            (scheme, kept)
        }
        _ => (&b""[..], value),
    };
    let word = String::from_utf8_lossy(scheme.trim_ascii()).into_owned();
    let meaning = match word.to_ascii_lowercase().as_str() {
        "" => format!("the value of the header {name}"),
        "basic" => format!("what follows {word} in the header {name}, base64 of user and password"),
        _ => format!("what follows {word} in the header {name}"),
    };
    let credential = Piece::Credential(variables.name_of(kept, name, &meaning));
    if scheme.is_empty() { vec![credential] } else { vec![Piece::Bytes(scheme.to_vec()), credential] }
}

/// Path and query; the values of secret parameters are credentials.
fn target(path: &str, variables: &mut Variables) -> Vec<Piece> {
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
                let meaning = format!("the query parameter {name}, percent-encoded");
                pieces.push(Piece::Credential(variables.name_of(value.as_bytes(), name, &meaning)));
            }
            _ => run.push_str(pair),
        }
    }
    if !run.is_empty() {
        pieces.push(Piece::Bytes(run.into_bytes()));
    }
    pieces
}

/// The pieces as text, `$NAME` for a credential.
pub fn text(pieces: &[Piece]) -> String {
    String::from_utf8_lossy(&bytes(pieces)).into_owned()
}

/// The pieces as bytes, `$NAME` for a credential.
pub fn bytes(pieces: &[Piece]) -> Vec<u8> {
    let one = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => bytes.clone(),
        Piece::Credential(name) => format!("${name}").into_bytes(),
    };
    pieces.iter().flat_map(one).collect()
}
