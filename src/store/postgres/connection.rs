//! A connection from the pool, and the statements on it.

use std::sync::atomic::{AtomicBool, Ordering};

use deadpool::managed::Object;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

use super::fault;
pub(super) use super::fault::STATEMENT_SECONDS;
use super::manager::{Link, Manager};
use super::values::Param;
use crate::store::StoreError;

/// A connection from the pool. It goes back when dropped.
pub struct Connection {
    object: Object<Manager>,
    /// Whether a statement failed, which ends a transaction.
    has_failed: AtomicBool,
    /// Whether it failed because of another transaction: a deadlock, or a conflict of changes.
    has_conflicted: AtomicBool,
    /// Whether it failed because a lock was not free in time.
    is_locked_out: AtomicBool,
}

impl Connection {
    pub(super) const fn new(object: Object<Manager>) -> Self {
        Self {
            object,
            has_failed: AtomicBool::new(false),
            has_conflicted: AtomicBool::new(false),
            is_locked_out: AtomicBool::new(false),
        }
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

    /// Whether a statement failed because a lock was not free in time.
    pub fn is_locked_out(&self) -> bool {
        self.is_locked_out.load(Ordering::Relaxed)
    }

    /// The rows of a search, which may take too long.
    ///
    /// # Errors
    /// `TooLong`, and as for every statement.
    pub async fn search(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        match self.link().client.query_typed(sql, &borrowed(params)).await {
            Err(fault) if fault::is_too_slow(&fault) => Err(StoreError::TooLong(STATEMENT_SECONDS)),
            result => self.checked(result),
        }
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
    ///
    /// # Errors
    /// `Unavailable`. Outside a transaction also if it is not known whether the standby has the change.
    pub async fn run(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let changed = self.checked(self.link().client.execute_typed(sql, &borrowed(params)).await)?;
        if self.link().is_unsure.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the standby did not confirm the change".to_owned()));
        }
        Ok(changed)
    }

    /// Runs statements without parameters, separated by semicolons.
    pub async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.checked(self.link().client.batch_execute(sql).await)
    }

    fn checked<T>(&self, result: Result<T, Error>) -> Result<T, StoreError> {
        result.map_err(|fault| {
            self.has_failed.store(true, Ordering::Relaxed);
            self.has_conflicted.fetch_or(fault::is_conflict(&fault), Ordering::Relaxed);
            self.is_locked_out.fetch_or(fault::is_locked_out(&fault), Ordering::Relaxed);
            self.spoil_unless(!fault::is_away(&fault));
            StoreError::from(fault)
        })
    }
}

fn borrowed<'a>(params: &'a [Param<'_>]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    let one = |(value, kind): &'a Param<'_>| {
        let value: &(dyn ToSql + Sync) = &**value;
        (value, kind.clone())
    };
    params.iter().map(one).collect()
}
