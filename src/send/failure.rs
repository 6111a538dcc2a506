//! Why no answer came, told apart.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

use super::target_guard::{Blocked, Unresolved};
use crate::domain::AttemptError;

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its class.
    pub error: AttemptError,
    /// What happened, in a sentence; holds no part of the URL.
    pub detail: String,
}

impl Failure {
    /// A failure of a class.
    #[must_use]
    pub fn new(error: AttemptError, detail: impl Into<String>) -> Self {
        Self { error, detail: detail.into() }
    }

    /// The failure that the client reports; `is_tls` says that the URL is one of https.
    #[must_use]
    pub fn of(fault: &reqwest::Error, is_tls: bool) -> Self {
        Self::new(class(fault, is_tls), innermost(fault))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.detail, self.error.as_str())
    }
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
        // What the system says of the connection itself; anything else on the way to TLS is TLS's.
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

/// The first cause of that type.
fn find<T: Error + 'static>(fault: &reqwest::Error) -> Option<&T> {
    let mut cause: &dyn Error = fault;
    loop {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        cause = cause.source()?;
    }
}

/// The cause at the bottom, which says what happened.
#[must_use]
pub fn innermost(fault: &reqwest::Error) -> String {
    let mut cause: &dyn Error = fault;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
