//! Faults of the database in plain words.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// The time limit of a statement, in seconds; the server ends one that takes longer.
pub const STATEMENT_SECONDS: u64 = 10;
/// How long a transaction may pause, in seconds: that of a node that hangs ends then, and its locks end too. Other
/// nodes take its messages over no earlier.
pub const PAUSE_SECONDS: u64 = 5;

/// The faults of a transaction that another one caused; it may be repeated.
const CONFLICTS: [SqlState; 3] =
    [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE, SqlState::UNIQUE_VIOLATION];
/// Faults after which a connection is not used again: the server goes away, or this is a server that only reads. Others
/// may be reached by a new connection.
const AWAY: [SqlState; 5] = [
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::TOO_MANY_CONNECTIONS,
    SqlState::READ_ONLY_SQL_TRANSACTION,
];
/// The class of faults of the connection itself.
const CONNECTION_CLASS: &str = "08";

/// What a fault means, by its SQLSTATE. The text of the server follows it, in the server's language.
const MEANINGS: [(SqlState, &str); 12] = [
    (SqlState::DISK_FULL, "the disk of the database is full"),
    (SqlState::READ_ONLY_SQL_TRANSACTION, "the database is read-only"),
    (SqlState::ADMIN_SHUTDOWN, "the database is shutting down"),
    (SqlState::CRASH_SHUTDOWN, "the database restarts after a crash"),
    (SqlState::CANNOT_CONNECT_NOW, "the database is starting or shutting down"),
    (SqlState::TOO_MANY_CONNECTIONS, "the database has no free connection"),
    (SqlState::LOCK_NOT_AVAILABLE, "another transaction kept a lock for too long"),
    (
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        "the database ended a transaction that paused for too long",
    ),
    (SqlState::OUT_OF_MEMORY, "the database has no memory left"),
    (SqlState::IO_ERROR, "the disk of the database fails"),
    (SqlState::INSUFFICIENT_PRIVILEGE, "the user of the database lacks a right"),
    (SqlState::UNDEFINED_TABLE, "a table is missing in the database"),
];

/// Whether a fault was caused by another transaction.
pub fn is_conflict(fault: &Error) -> bool {
    fault.code().is_some_and(|code| CONFLICTS.contains(code))
}

/// Whether a lock was not free in time.
pub fn is_locked_out(fault: &Error) -> bool {
    fault.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

/// Whether a statement took too long.
pub fn is_too_slow(fault: &Error) -> bool {
    fault.code() == Some(&SqlState::QUERY_CANCELED)
}

/// Whether the connection should not be used again.
pub fn is_away(fault: &Error) -> bool {
    fault.code().is_none_or(|code| AWAY.contains(code) || code.code().starts_with(CONNECTION_CLASS))
}

impl From<Error> for StoreError {
    fn from(fault: Error) -> Self {
        Self::Unavailable(explain(&fault))
    }
}

/// What went wrong, with what the server said.
pub fn explain(fault: &Error) -> String {
    if is_too_slow(fault) {
        return format!("the database did not finish a statement within {STATEMENT_SECONDS} s");
    }
    if let Some(said) = fault.as_db_error() {
        let meaning = MEANINGS.iter().find(|(code, _)| code == said.code());
        return meaning.map_or_else(
            || format!("{} (SQLSTATE {})", said.message(), said.code().code()),
            |(_, meaning)| format!("{meaning}: {}", said.message()),
        );
    }
    if fault.is_closed() {
        return "the connection to the database was lost".to_owned();
    }
    let cause = fault.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            "the database refuses connections: nothing listens there".to_owned()
        }
        Some(io::ErrorKind::TimedOut) => "the database cannot be reached: no answer in time".to_owned(),
        _ => chain(fault),
    }
}

/// A fault with its causes: the fault alone often reads "db error".
pub fn chain(fault: &Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
