//! A request whose signature did not hold, and the secrets that may have signed it.

use crate::domain::{Headers, Scheme, Secret, Source};

/// A request whose signature did not hold.
pub struct Suspect<'a> {
    /// The scheme that its source asks for.
    pub scheme: Scheme,
    /// The secrets that its source has, and those of others.
    pub secrets: Vec<Known<'a>>,
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Header lines.
    pub headers: &'a Headers,
    /// The wire body.
    pub body: &'a [u8],
}

/// A secret that may have been used.
pub struct Known<'a> {
    /// The secret.
    pub secret: &'a Secret,
    /// The scheme that it is meant for.
    pub scheme: Scheme,
    /// The other source that it belongs to; `None`: it is the source's own.
    pub source: Option<&'a str>,
}

impl<'a> Known<'a> {
    /// Every secret of `sources`, told from those of the source `own`.
    pub fn of_all(sources: &'a [Source], own: &str) -> Vec<Self> {
        let of = |source: &'a Source| {
            let owner = (source.name != own).then_some(source.name.as_str());
            let scheme = source.signature.scheme;
            source.signature.secrets.iter().map(move |secret| Known { secret, scheme, source: owner })
        };
        sources.iter().flat_map(of).collect()
    }
}
