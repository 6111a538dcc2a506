//! The possible reasons why no response arrived.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

use super::target_guard::{Blocked, NameFault, Unresolved};
use crate::certificates;
use crate::domain::{AttemptError, without_os_numbers};

/// The client's message starts with this if a proxy refuses the tunnel.
const TUNNEL: &str = "tunnel error";
/// What rustls puts in front of a reason that we gave.
const OUR_OWN: &str = "unexpected error: ";

/// Why no response arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its class.
    pub error: AttemptError,
    /// What happened, in one sentence without any part of the URL.
    pub detail: String,
}

impl Failure {
    /// A failure of a class.
    #[must_use]
    pub fn new(error: AttemptError, detail: impl Into<String>) -> Self {
        Self { error, detail: detail.into() }
    }

    /// The failure for a name that nothing may be sent to.
    #[must_use]
    pub fn of_name(fault: &NameFault) -> Self {
        let error = match fault {
            NameFault::Blocked(_) => AttemptError::BlockedAddress,
            NameFault::Unresolved(_) => AttemptError::Dns,
        };
        Self::new(error, fault.to_string())
    }

    /// The failure for a client error; `is_tls` says that the URL uses https.
    #[must_use]
    pub fn of(fault: &reqwest::Error, is_tls: bool) -> Self {
        Self::new(class(fault, is_tls), plain(fault, is_tls))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.detail, self.error.as_str())
    }
}

/// What happened, in plain words. "It" is the target.
fn plain(fault: &reqwest::Error, is_tls: bool) -> String {
    if let Some(fault) = find::<io::Error>(fault).and_then(of_tls) {
        return certificates::told(fault);
    }
    match innermost(fault) {
        detail if detail.starts_with(TUNNEL) => format!("the proxy opens no way to the target: {detail}"),
        detail if detail.starts_with("invalid HTTP") && !is_tls => {
            format!("its response is not HTTP ({detail}); if it speaks TLS, the URL begins with https://")
        }
        detail if detail.starts_with("invalid HTTP") => format!("its response is not HTTP ({detail})"),
        detail if detail == "invalid content-length parsed" => {
            "the Content-Length of its response is not a number, or there are two".to_owned()
        }
        detail if detail == "message head is too large" => {
            "the head of its response is too large: more than 100 header lines, or too many bytes".to_owned()
        }
        detail if detail == "tls handshake eof" => {
            "it closed the connection during the TLS handshake".to_owned()
        }
        detail if detail == "connection closed before message completed" => {
            "it closed the connection before its response was complete".to_owned()
        }
        detail => detail,
    }
}

/// The fault of TLS inside one of the connection.
fn of_tls(fault: &io::Error) -> Option<&rustls::Error> {
    let inside = fault.get_ref()?;
    inside.downcast_ref().or_else(|| inside.downcast_ref::<io::Error>().and_then(of_tls))
}

fn class(fault: &reqwest::Error, is_tls: bool) -> AttemptError {
    if find::<Blocked>(fault).is_some() {
        return AttemptError::BlockedAddress;
    }
    if find::<Unresolved>(fault).is_some() {
        return AttemptError::Dns;
    }
    if fault.is_timeout() {
        return AttemptError::Timeout;
    }
    if fault.is_connect() {
        if innermost(fault).starts_with(TUNNEL) {
            return AttemptError::Connect;
        }
        // System errors about the connection itself; anything else before TLS is ready counts as a TLS error.
        let is_system = find::<io::Error>(fault).is_some_and(|fault| {
            matches!(
                fault.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
                    | ErrorKind::AddrNotAvailable
                    | ErrorKind::NetworkDown
            )
        });
        return if is_tls && !is_system { AttemptError::Tls } else { AttemptError::Connect };
    }
    if innermost(fault).contains("too large") {
        return AttemptError::TooLarge;
    }
    AttemptError::Reset
}

/// The first cause with that type.
fn find<T: Error + 'static>(fault: &reqwest::Error) -> Option<&T> {
    let mut cause: &dyn Error = fault;
    loop {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        cause = cause.source()?;
    }
}

/// The innermost cause, which says what happened.
#[must_use]
pub fn innermost(fault: &reqwest::Error) -> String {
    let mut cause: &dyn Error = fault;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let text = without_os_numbers(&cause.to_string());
    text.strip_prefix(OUR_OWN).map_or(text.clone(), str::to_owned)
}
