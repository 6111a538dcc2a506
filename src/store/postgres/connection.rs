//! A connection from the pool, and the statements on it.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool::managed::Object;
use tokio::runtime::Handle;
use tokio::time::sleep;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

use super::fault;
pub(super) use super::fault::STATEMENT_SECONDS;
use super::manager::{Link, Manager};
use super::values::Param;
use crate::store::StoreError;

/// How long a node waits for the result of a statement. The server ends one before, if it is able to.
const ANSWER_LIMIT: Duration = Duration::from_secs(STATEMENT_SECONDS + 1);
/// After what time without an answer the other hosts are asked whether one was promoted, again and again.
const LATE: Duration = Duration::from_secs(2);

/// A connection from the pool. It goes back when dropped, once all its statements are answered.
pub struct Connection {
    object: Arc<Object<Manager>>,
    runtime: Handle,
    /// Whether statements may take as long as they take.
    is_patient: AtomicBool,
    /// Whether a statement was not answered.
    is_silent: AtomicBool,
    /// Whether a statement failed, which ends a transaction.
    has_failed: AtomicBool,
    /// Whether it failed because of another transaction: a deadlock, or a conflict of changes.
    has_conflicted: AtomicBool,
    /// Whether it failed because a lock was not free in time.
    is_locked_out: AtomicBool,
}

impl Connection {
    pub(super) fn new(object: Object<Manager>, runtime: Handle) -> Self {
        Self {
            object: Arc::new(object),
            runtime,
            is_patient: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            has_conflicted: AtomicBool::new(false),
            is_locked_out: AtomicBool::new(false),
        }
    }

    pub(super) fn link(&self) -> &Link {
        &self.object
    }

    /// From now on statements may take as long as they take.
    pub(super) fn be_patient(&self) {
        self.is_patient.store(true, Ordering::Relaxed);
    }

    /// Keeps the pool from using the connection again unless `is_sound`.
    pub(super) fn spoil_unless(&self, is_sound: bool) {
        self.link().is_spoilt.fetch_or(!is_sound, Ordering::SeqCst);
    }

    /// Whether a statement was not answered.
    pub(super) fn is_silent(&self) -> bool {
        self.is_silent.load(Ordering::Relaxed)
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
        match self.answer(self.link().client.query_typed(sql, &borrowed(params))).await? {
            Err(fault) if fault::is_too_slow(&fault) => Err(StoreError::TooLong(STATEMENT_SECONDS)),
            result => self.checked(result),
        }
    }

    /// The rows of a query.
    pub async fn rows(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        self.checked(self.answer(self.link().client.query_typed(sql, &borrowed(params))).await?)
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
        let params = borrowed(params);
        let changed = self.checked(self.answer(self.link().client.execute_typed(sql, &params)).await?)?;
        if self.link().is_unsure.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the standby did not confirm the change".to_owned()));
        }
        Ok(changed)
    }

    /// Runs statements without parameters, separated by semicolons.
    pub async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.checked(self.answer(self.link().client.batch_execute(sql)).await?)
    }

    /// The server's answer, if there is one in time. A server that hangs gives none, and its connections stay open.
    async fn answer<T>(&self, statement: impl Future<Output = T>) -> Result<T, StoreError> {
        let limit = (!self.is_patient.load(Ordering::Relaxed)).then_some(ANSWER_LIMIT);
        tokio::select! {
            // First: the answer to BEGIN is there long before it is awaited.
            biased;
            answer = statement => return Ok(answer),
            () = self.no_answer(limit) => {}
        }
        self.has_failed.store(true, Ordering::Relaxed);
        self.is_silent.store(true, Ordering::Relaxed);
        self.spoil_unless(false);
        Err(StoreError::Unavailable("the database did not answer in time".to_owned()))
    }

    /// Waits until an answer is not waited for any more. Meanwhile the other hosts are asked whether one was promoted:
    /// then the connection is closed, and the statement fails.
    pub(super) async fn no_answer(&self, limit: Option<Duration>) {
        let end = async {
            match limit {
                Some(limit) => sleep(limit).await,
                None => pending().await,
            }
        };
        let ask_others = async {
            loop {
                sleep(LATE).await;
                if let Some(pool) = Object::pool(&self.object) {
                    pool.manager().survey().await;
                }
            }
        };
        tokio::select! {
            () = end => {}
            () = ask_others => {}
        }
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

/// A connection whose answers are due, for as long as this value exists.
pub(super) struct SetAside(Arc<AtomicUsize>);

impl SetAside {
    pub(super) fn new(link: &Link) -> Self {
        link.set_aside.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&link.set_aside))
    }
}

impl Drop for SetAside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection without an answer keeps its place in the pool until there is one: a server that is slow would have more and
/// more of them.
impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_silent.load(Ordering::Relaxed) {
            let object = Arc::clone(&self.object);
            let set_aside = SetAside::new(&object);
            self.runtime.spawn(async move {
                let _ = object.client.batch_execute("ROLLBACK").await;
                drop(set_aside);
            });
        }
    }
}

fn borrowed<'a>(params: &'a [Param<'_>]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    let one = |(value, kind): &'a Param<'_>| {
        let value: &(dyn ToSql + Sync) = &**value;
        (value, kind.clone())
    };
    params.iter().map(one).collect()
}
