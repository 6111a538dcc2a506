//! Where the receiver listens.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The prefix of a UNIX socket's path.
const UNIX: &str = "unix:";

/// Where the receiver listens: a TCP port, or a UNIX socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// `127.0.0.1:8080`
    Tcp(SocketAddr),
    /// `unix:/run/tagohook.sock`
    Unix(PathBuf),
}

impl ListenAddress {
    /// The path after `unix:`, if the text starts with it.
    #[must_use]
    pub fn unix_path(text: &str) -> Option<&str> {
        text.trim().strip_prefix(UNIX)
    }

    /// The path of the socket, if it is one.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Tcp(_) => None,
            Self::Unix(path) => Some(path),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(out),
            Self::Unix(path) => write!(out, "{UNIX}{}", path.display()),
        }
    }
}

impl Serialize for ListenAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ListenAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match Self::unix_path(&text) {
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(de::Error::custom),
        }
    }
}
