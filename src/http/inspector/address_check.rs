//! What a check of a public address found.

use std::net::IpAddr;

use url::{Host, Url};

/// How good a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The address leads here.
    Well,
    /// It does, but senders are not recognised.
    Warning,
    /// It does not.
    Ill,
}

impl Level {
    /// Its word in the style sheet.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Warning => "warn",
            Self::Ill => "ill",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How good it is.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// What to do; empty where nothing is to be done.
    pub then: String,
    /// The proxy that the configuration should trust.
    pub proxy: Option<IpAddr>,
}

impl Found {
    /// The address does not lead here.
    pub fn fault(what: impl Into<String>, then: impl Into<String>) -> Self {
        Self { level: Level::Ill, what: what.into(), then: then.into(), proxy: None }
    }
}

/// Whether only this machine can reach a URL.
pub fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
