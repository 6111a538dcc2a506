//! A PostgreSQL database as `store.url` names it: libpq's URL with the parameters that a store needs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::domain::{Secret, nearest};

/// The form of the URL, for messages.
const FORM: &str = "expected postgres://USER@HOST:PORT/DATABASE, with several hosts as HOST1:PORT,HOST2:PORT";
/// PostgreSQL's usual port.
const PORT: u16 = 5_432;
/// The parameters of the URL.
const PARAMETERS: [&str; 5] =
    ["application_name", "connect_timeout", "sslmode", "sslrootcert", "target_session_attrs"];
/// The time limit for a connection to one host, unless the URL names one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest name that PostgreSQL keeps, in bytes.
const MAX_NAME: usize = 63;

/// How a connection is encrypted, as libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// `disable`: never.
    Disable,
    /// `prefer`: if the server can; its certificate is not verified.
    Prefer,
    /// `require`: always; its certificate is not verified.
    Require,
    /// `verify-ca`: the certificate is signed by a known authority.
    VerifyCa,
    /// `verify-full`: it is also for the host's name.
    VerifyFull,
}

/// The authorities that may sign the server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Those of the system.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

/// A PostgreSQL database, and how to connect to it.
#[derive(Clone, Debug)]
pub struct PostgresUrl {
    /// Host names, addresses or folders of a socket (they begin with `/`), with their ports, in the order in which they
    /// are tried.
    pub hosts: Vec<(String, u16)>,
    /// The role.
    pub user: String,
    /// Its password.
    pub password: Option<Secret>,
    /// The name of the database.
    pub name: String,
    /// Whether connections are encrypted.
    pub tls: TlsMode,
    /// Who may sign the server's certificate.
    pub roots: Roots,
    /// The time limit for a connection to one host.
    pub connect_timeout: Duration,
    /// The name of the program in `pg_stat_activity`.
    pub application_name: Option<String>,
    /// Whether a host that does not accept writes is passed over.
    pub must_be_writable: bool,
}

impl PostgresUrl {
    /// Whether `url` names a PostgreSQL database.
    #[must_use]
    pub fn is_named_by(url: &str) -> bool {
        url.starts_with("postgres://") || url.starts_with("postgresql://")
    }

    /// Reads the URL. A relative `sslrootcert` is in `data_dir`.
    ///
    /// # Errors
    /// What is wrong, in one sentence that repeats no password.
    pub fn read(url: &str, data_dir: &Path) -> Result<Self, String> {
        let rest = url.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
        if rest.contains('#') {
            return Err(format!("a URL of a database has no fragment; write \"#\" as %23; {FORM}"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (credentials, None),
        };
        let password = password.filter(|password| !password.is_empty()).map(decoded).transpose();
        let password = password.map_err(|_| "the password is not UTF-8; encode it with %XX".to_owned())?;
        let mut database = Self {
            hosts: hosts.split(',').map(host).collect::<Result<_, _>>()?,
            user: name("user", user)?,
            password: password
                .map(|password| Secret::new("the password in store.url", password.into_bytes())),
            name: name("database", path)?,
            tls: TlsMode::Prefer,
            roots: Roots::System,
            connect_timeout: CONNECT_TIMEOUT,
            application_name: None,
            must_be_writable: true,
        };
        let mut has_roots = false;
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            has_roots |= key == "sslrootcert";
            database.take(key, &decoded(value)?, data_dir)?;
        }
        database.tls = match (database.tls, has_roots) {
            // As libpq does: a named authority is checked.
            (TlsMode::Require, true) => TlsMode::VerifyCa,
            (TlsMode::VerifyCa, _) if database.roots == Roots::System => {
                return Err("sslmode=verify-ca needs sslrootcert=FILE: any authority of the system could sign for any \
                            server; or use sslmode=verify-full"
                    .to_owned());
            }
            (tls, _) => tls,
        };
        Ok(database)
    }

    fn take(&mut self, key: &str, value: &str, data_dir: &Path) -> Result<(), String> {
        match key {
            "sslmode" => {
                self.tls = match value {
                    "disable" => TlsMode::Disable,
                    "prefer" => TlsMode::Prefer,
                    "require" => TlsMode::Require,
                    "verify-ca" => TlsMode::VerifyCa,
                    "verify-full" => TlsMode::VerifyFull,
                    _ => {
                        return Err(format!(
                            "sslmode={value} is unknown; use disable, prefer, require, verify-ca or verify-full"
                        ));
                    }
                }
            }
            "sslrootcert" if value == "system" => self.roots = Roots::System,
            "sslrootcert" if !value.is_empty() => self.roots = Roots::File(data_dir.join(value)),
            "sslrootcert" => return Err("sslrootcert needs the path of a PEM file, or \"system\"".to_owned()),
            "connect_timeout" => {
                let seconds = value.parse::<u8>().ok().filter(|seconds| *seconds > 0);
                let seconds = seconds.ok_or("connect_timeout needs seconds, from 1 to 255")?;
                self.connect_timeout = Duration::from_secs(u64::from(seconds));
            }
            "application_name" => self.application_name = Some(value.to_owned()),
            "target_session_attrs" => {
                self.must_be_writable = match value {
                    "read-write" | "primary" => true,
                    "any" => false,
                    _ => {
                        return Err(format!(
                            "target_session_attrs={value} does not fit a store, which is written; use read-write \
                             (the default), primary or any"
                        ));
                    }
                }
            }
            "password" => return Err(format!("password is not a parameter here; {REFERENCE}")),
            _ => {
                let near = nearest(key, PARAMETERS.into_iter());
                let near = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
                return Err(format!("unknown parameter {key:?}{near}; there are {}", PARAMETERS.join(", ")));
            }
        }
        Ok(())
    }

    /// The URL without the password and parameters.
    #[must_use]
    pub fn shown(&self) -> String {
        let hosts: Vec<String> = self
            .hosts
            .iter()
            .map(
                |(host, port)| {
                    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
                },
            )
            .collect();
        format!("postgres://{}@{}/{}", self.user, hosts.join(","), self.name)
    }
}

/// How to write the password.
pub const REFERENCE: &str =
    "write store.password = \"file:NAME\" (a file, relative to the data directory) or \"env:NAME\"";

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| format!("{text:?} is not UTF-8 when decoded"))?;
    if decoded.contains('\0') {
        return Err("%00 is not allowed".to_owned());
    }
    Ok(decoded.into_owned())
}

fn name(what: &str, text: &str) -> Result<String, String> {
    let name = decoded(text)?;
    if name.is_empty() {
        return Err(format!("the {what} is missing; {FORM}"));
    }
    if name.len() > MAX_NAME {
        return Err(format!("the name of the {what} is longer than {MAX_NAME} bytes"));
    }
    Ok(name)
}

fn host(text: &str) -> Result<(String, u16), String> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            address
                .parse::<std::net::Ipv6Addr>()
                .map_err(|_| format!("[{address}] is not an IPv6 address"))?;
            (address.to_owned(), rest.strip_prefix(':').or(rest.is_empty().then_some("")))
        }
        None => {
            let (host, port) = text.split_once(':').unwrap_or((text, ""));
            (decoded(host)?, Some(port))
        }
    };
    if host.is_empty() {
        return Err(format!("a host is missing; {FORM}"));
    }
    let port = match port {
        Some("") => Some(PORT),
        Some(port) => port.parse().ok().filter(|port| *port > 0),
        None => None,
    };
    let port = port.ok_or_else(|| format!("the port of {host} is not a number from 1 to 65535; {FORM}"))?;
    Ok((host, port))
}

#[cfg(test)]
mod tests;
