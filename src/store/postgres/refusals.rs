//! Why a database cannot be used, in words for the operator.

use std::error::Error as _;
use std::io;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, Error};

use super::fault::chain;
use super::manager::LinkFault;
use crate::certificates;
use crate::domain::without_os_numbers;

/// The oldest version, as `server_version_num` counts.
const OLDEST: i64 = 140_000;

/// Why there is no connection at the start.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The server is starting or stopping.
    Starting(String),
    /// It may be different in a moment: no server is there, or too many clients are.
    Passing(String),
    /// Only a change by the operator helps.
    Lasting(String),
}

impl Refusal {
    pub fn text(self) -> String {
        match self {
            Self::Starting(text) | Self::Passing(text) | Self::Lasting(text) => text,
        }
    }

    /// Why a connection with this configuration failed.
    pub fn of(fault: &LinkFault, config: &Config) -> Self {
        let fault = match fault {
            LinkFault::Database(fault) => fault,
            LinkFault::Silent | LinkFault::OldPrimary => return Self::Passing(fault.to_string()),
        };
        match fault.as_db_error() {
            Some(said) => Self::of_server(said.code(), said.message(), config),
            None => Self::of_network(fault),
        }
    }

    fn of_server(code: &SqlState, said: &str, config: &Config) -> Self {
        let user = config.get_user().unwrap_or_default();
        let name = config.get_dbname().unwrap_or_default();
        match code.code() {
            "57P01" | "57P02" | "57P03" => {
                Self::Starting(format!("the server is starting or stopping ({said})"))
            }
            "53300" => Self::Passing(format!(
                "the server has too many connections ({said}); raise max_connections, or end other clients"
            )),
            "28P01" => Self::Lasting(format!(
                "the server refuses the password of user {user:?}; check store.password"
            )),
            "28000" => Self::Lasting(format!(
                "the server does not admit user {user:?} ({said}); check the user, pg_hba.conf and sslmode"
            )),
            "3D000" => Self::Lasting(format!(
                "the database {name:?} does not exist; create it: CREATE DATABASE … ENCODING 'UTF8'"
            )),
            "42501" => {
                Self::Lasting(format!("user {user:?} lacks a right ({said}); see deploy/postgres/roles.sql"))
            }
            _ => {
                Self::Lasting(format!("the server refuses the connection: {said} (SQLSTATE {})", code.code()))
            }
        }
    }

    fn of_network(fault: &Error) -> Self {
        let text = chain(fault);
        if text.contains("does not support TLS") {
            return Self::Lasting("the server does not support TLS, which this sslmode requires".to_owned());
        }
        if text.contains("password missing") {
            return Self::Lasting(
                "the server asks for a password; write store.password = \"file:NAME\" or \"env:NAME\""
                    .to_owned(),
            );
        }
        let Some(network) = causes(fault).find_map(|cause| cause.downcast_ref::<io::Error>()) else {
            let is_closed = fault.is_closed();
            return if is_closed {
                Self::Passing("the server closed the connection".to_owned())
            } else {
                Self::Lasting(text)
            };
        };
        if let Some(refused) = network.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::Lasting(of_certificate(refused));
        }
        let said = network.to_string();
        Self::Passing(match network.kind() {
            io::ErrorKind::ConnectionRefused => {
                "no server listens there: the connection was refused".to_owned()
            }
            io::ErrorKind::NotFound => "no server listens there: the socket does not exist".to_owned(),
            io::ErrorKind::TimedOut => "no server answers there; check the address and firewalls".to_owned(),
            io::ErrorKind::PermissionDenied if said.contains("does not allow writes") => READ_ONLY.to_owned(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                "the server closed the connection".to_owned()
            }
            _ if said.contains("lookup address") => "the name of the host cannot be resolved".to_owned(),
            // Not from the operating system: the answer cannot be read.
            _ if network.raw_os_error().is_none() => NOT_POSTGRESQL.to_owned(),
            _ => format!("the server cannot be reached: {}", without_os_numbers(&said)),
        })
    }
}

const NOT_POSTGRESQL: &str = "what answers there is not a PostgreSQL server; check host and port";
const READ_ONLY: &str =
    "the server accepts no writes: it is a standby, or default_transaction_read_only is on";

fn causes(fault: &Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(fault.source(), |cause: &&(dyn std::error::Error + 'static)| (**cause).source())
}

fn of_certificate(fault: &rustls::Error) -> String {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, UnknownIssuer,
    };
    match fault {
        rustls::Error::InvalidCertificate(UnknownIssuer) => {
            "the server's certificate is not signed by a known authority; name its file with sslrootcert=FILE"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "the server's certificate is for another host name; use that name, or sslmode=verify-ca"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => {
            "the server's certificate has expired".to_owned()
        }
        rustls::Error::InvalidMessage(_) => NOT_POSTGRESQL.to_owned(),
        other => format!("TLS with the server failed: {}", certificates::told(other)),
    }
}

/// The version of a server is new enough.
pub fn check_version(version: i64, shown: &str) -> Result<(), String> {
    if version < OLDEST {
        return Err(format!("PostgreSQL {shown} is too old; version 14 or later is required"));
    }
    Ok(())
}

/// What a server says of itself.
#[derive(Clone, Debug)]
pub struct Server {
    pub is_read_only: bool,
    /// `synchronous_commit` of a new connection.
    pub commit: String,
    /// `synchronous_standby_names`
    pub standbys: String,
    pub fsync: bool,
    pub full_page_writes: bool,
    pub encoding: String,
    /// The schema where tables are made.
    pub schema: Option<String>,
}

impl Server {
    /// What to warn of.
    ///
    /// # Errors
    /// Why a store cannot be kept there.
    pub fn judge(&self) -> Result<Vec<String>, String> {
        if self.is_read_only {
            return Err(READ_ONLY.to_owned());
        }
        if self.encoding != "UTF8" {
            return Err(format!("the encoding of the database is {}; it must be UTF8", self.encoding));
        }
        if self.schema.is_none() {
            return Err(
                "no schema of search_path exists or may be used; create it, or GRANT USAGE ON SCHEMA"
                    .to_owned(),
            );
        }
        let has_standby = !self.standbys.trim().is_empty();
        match self.commit.as_str() {
            "off" => {
                return Err(
                    "synchronous_commit is off for this user: a crash would lose acknowledged deliveries; \
                            set it to on"
                        .to_owned(),
                );
            }
            "local" | "remote_write" if has_standby => {
                return Err(format!(
                    "synchronous_commit is {} for this user, although synchronous_standby_names is set: a failover \
                     would lose acknowledged deliveries; set it to on",
                    self.commit
                ));
            }
            _ => {}
        }
        let mut warnings = Vec::new();
        if !self.fsync {
            warnings.push(
                "fsync is off on the database server: a crash of its machine can destroy the store"
                    .to_owned(),
            );
        }
        if !self.full_page_writes {
            warnings.push(
                "full_page_writes is off on the database server: a crash of its machine can damage the store"
                    .to_owned(),
            );
        }
        Ok(warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            is_read_only: false,
            commit: "on".to_owned(),
            standbys: String::new(),
            fsync: true,
            full_page_writes: true,
            encoding: "UTF8".to_owned(),
            schema: Some("public".to_owned()),
        }
    }

    #[test]
    fn a_server_is_refused_from_below_version_14() {
        assert!(
            check_version(139_999, "13.22").unwrap_err().contains("PostgreSQL 13.22 is too old; version 14")
        );
        assert_eq!(check_version(140_000, "14.0"), Ok(()));
    }

    #[test]
    fn what_would_lose_deliveries_is_refused_and_what_endangers_them_is_a_warning() {
        let refused = |change: fn(&mut Server)| {
            let mut server = server();
            change(&mut server);
            server.judge().err()
        };
        assert_eq!(server().judge(), Ok(Vec::new()));
        assert!(refused(|server| server.is_read_only = true).unwrap().contains("accepts no writes"));
        assert!(
            refused(|server| server.commit = "off".into()).unwrap().contains("synchronous_commit is off")
        );
        assert_eq!(refused(|server| server.commit = "local".into()), None);
        assert_eq!(refused(|server| server.standbys = "s".into()), None);
        for weak in ["local", "remote_write"] {
            let mut server = Server { commit: weak.into(), standbys: "FIRST 1 (s)".into(), ..server() };
            assert!(server.judge().unwrap_err().contains("although synchronous_standby_names is set"));
            server.commit = "remote_apply".into();
            assert_eq!(server.judge(), Ok(Vec::new()));
        }
        assert!(refused(|server| server.encoding = "LATIN1".into()).unwrap().contains("must be UTF8"));
        assert!(refused(|server| server.schema = None).unwrap().contains("GRANT USAGE"));
        let warnings = Server { fsync: false, full_page_writes: false, ..server() }.judge().unwrap();
        assert!(warnings[0].contains("fsync is off") && warnings[1].contains("full_page_writes is off"));
    }

    #[test]
    fn what_a_server_says_is_said_in_words_for_the_operator() {
        let mut config = Config::new();
        config.user("joe").dbname("hooks");
        for (code, part) in [
            ("28P01", "the password of user \"joe\""),
            ("28000", "does not admit user \"joe\" (said)"),
            ("3D000", "the database \"hooks\" does not exist"),
            ("42501", "user \"joe\" lacks a right (said)"),
            ("55000", "refuses the connection: said (SQLSTATE 55000)"),
        ] {
            let refusal = Refusal::of_server(&SqlState::from_code(code), "said", &config);
            assert!(matches!(&refusal, Refusal::Lasting(text) if text.contains(part)), "{refusal:?}");
        }
        let passing = Refusal::of_server(&SqlState::TOO_MANY_CONNECTIONS, "said", &config);
        assert!(matches!(passing, Refusal::Passing(_)));
        for code in ["57P01", "57P02", "57P03"] {
            let refusal = Refusal::of_server(&SqlState::from_code(code), "said", &config);
            assert!(matches!(refusal, Refusal::Starting(_)));
        }
    }
}
