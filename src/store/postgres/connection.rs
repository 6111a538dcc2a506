//! A connection from the pool, and the statements on it.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool::managed::Object;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

use super::manager::{Link, Manager};
use super::values::Param;
use crate::store::StoreError;

/// The time limit of a query, in seconds; the server ends a statement that takes longer.
pub const STATEMENT_SECONDS: u64 = 10;

/// The faults of a transaction that another one caused; it may be repeated.
const CONFLICTS: [SqlState; 3] =
    [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE, SqlState::UNIQUE_VIOLATION];

/// A connection from the pool. It goes back when dropped.
pub struct Connection {
    object: Object<Manager>,
    /// Whether a statement failed, which ends a transaction.
    has_failed: AtomicBool,
    /// Whether it failed because of another transaction: a deadlock, or a conflict of changes.
    has_conflicted: AtomicBool,
}

impl Connection {
    pub(super) const fn new(object: Object<Manager>) -> Self {
        Self { object, has_failed: AtomicBool::new(false), has_conflicted: AtomicBool::new(false) }
    }

    pub(super) fn link(&self) -> &Link {
        &self.object
    }

    /// Keeps the pool from using the connection again unless `is_sound`.
    pub(super) fn spoil_unless(&self, is_sound: bool) {
        self.link().is_spoilt.fetch_or(!is_sound, Ordering::SeqCst);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    pub(super) fn has_conflicted(&self) -> bool {
        self.has_conflicted.load(Ordering::Relaxed)
    }

    /// The rows of a query.
    pub async fn rows(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        self.checked(self.link().client.query_typed(sql, &borrowed(params)).await)
    }

    /// The first row of a query.
    pub async fn maybe(&self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// The row of a query that always has one.
    pub async fn one(&self, sql: &str, params: &[Param<'_>]) -> Result<Row, StoreError> {
        let row = self.maybe(sql, params).await?;
        row.ok_or_else(|| StoreError::Unavailable("a query answered without a row".to_owned()))
    }

    /// Runs a statement; the number of rows that it changed.
    pub async fn run(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.checked(self.link().client.execute_typed(sql, &borrowed(params)).await)
    }

    /// Runs statements without parameters, separated by semicolons.
    pub async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.checked(self.link().client.batch_execute(sql).await)
    }

    fn checked<T>(&self, result: Result<T, Error>) -> Result<T, StoreError> {
        result.map_err(|fault| {
            self.has_failed.store(true, Ordering::Relaxed);
            let is_conflict = fault.code().is_some_and(|code| CONFLICTS.contains(code));
            self.has_conflicted.fetch_or(is_conflict, Ordering::Relaxed);
            StoreError::from(fault)
        })
    }
}

fn borrowed<'a>(params: &'a [Param<'_>]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    params.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
}

impl From<Error> for StoreError {
    fn from(fault: Error) -> Self {
        if fault.code() == Some(&SqlState::QUERY_CANCELED) {
            return Self::TooLong(STATEMENT_SECONDS);
        }
        Self::Unavailable(chain(&fault))
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
