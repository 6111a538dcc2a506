//! Runs a query slice by slice, from the newest row to the oldest or the other way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Row;

use super::condition::Plan;
use super::value::Value;
use crate::store::StoreError;
use crate::store::postgres::{Connection, Postgres, Typed as _, column};

/// The longest time for one query.
const DEADLINE: Duration = Duration::from_secs(10);
/// Rows of the first slice that the node looks at; each slice is twice the one before.
const FIRST_SLICE: usize = 256;
/// The most rows of a slice.
const MOST_ROWS: usize = 4_096;
/// The most bytes of headers and bodies in a slice, apart from its last row.
const SLICE_BYTES: i64 = 8 << 20;
/// Rows of a stretch: within a budget, the time is looked at after each.
const STRETCH: i64 = 8_192;

/// In which direction a walk goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    NewestFirst,
    OldestFirst,
}

/// What is read of each row that matches, and how much of it.
pub struct Wanted<T> {
    pub columns: &'static str,
    pub read: fn(&Row) -> Result<T, StoreError>,
    pub limit: usize,
    pub direction: Direction,
    /// How long the walk may take; without one, as long as any query.
    pub budget: Option<Duration>,
}

/// A walk through the log.
pub struct Walk<'s, T> {
    store: &'s Postgres,
    connection: Connection,
    plan: Arc<Plan>,
    wanted: Wanted<T>,
    /// What matched so far.
    pub found: Vec<T>,
    began: Instant,
    slice: usize,
}

impl<'s, T: Send + 'static> Walk<'s, T> {
    pub fn new(store: &'s Postgres, connection: Connection, plan: Plan, wanted: Wanted<T>) -> Self {
        let (plan, began) = (Arc::new(plan), Instant::now());
        Self { store, connection, plan, wanted, found: Vec::new(), began, slice: FIRST_SLICE }
    }

    /// Whether it ends here, be there more or not.
    pub fn is_full(&self) -> bool {
        let is_late = |budget| self.began.elapsed() > budget;
        self.found.len() >= self.wanted.limit || self.wanted.budget.is_some_and(is_late)
    }

    /// Takes what matches from `first` to before `below`.
    pub async fn walk(&mut self, first: i64, below: i64) -> Result<(), StoreError> {
        if self.wanted.budget.is_none() {
            return self.scan(first, below).await;
        }
        let mut below = below;
        while !self.is_full() {
            let Some(from) = self.stretch(first, below).await? else { return Ok(()) };
            self.scan(from, below).await?;
            below = from;
        }
        Ok(())
    }

    /// Where the stretch that ends before `below` begins; `None` if it is empty.
    async fn stretch(&self, first: i64, below: i64) -> Result<Option<i64>, StoreError> {
        let row = self
            .connection
            .one(
                "SELECT min(seq) AS first FROM (
                     SELECT seq FROM deliveries WHERE seq >= $1 AND seq < $2 ORDER BY seq DESC LIMIT $3
                 ) stretch",
                &[first.param(), below.param(), STRETCH.param()],
            )
            .await?;
        column(&row, "first")
    }

    async fn scan(&mut self, first: i64, below: i64) -> Result<(), StoreError> {
        let (mut first, mut below) = (first, below);
        while first < below && !self.is_full() {
            if self.began.elapsed() > DEADLINE {
                return Err(StoreError::TooLong(DEADLINE.as_secs()));
            }
            let left = self.wanted.limit.saturating_sub(self.found.len());
            let most = if self.plan.rest.is_none() { left } else { self.slice };
            let rows = self.slice(first, below, most).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            let last: i64 = column(last, "seq")?;
            // A slice may also be short because of its bytes: only an empty one is the end.
            let is_end = self.plan.rest.is_none() && rows.len() < most;
            match self.wanted.direction {
                Direction::NewestFirst => below = last,
                Direction::OldestFirst => first = last.saturating_add(1),
            }
            self.take(rows, left).await?;
            if is_end {
                return Ok(());
            }
            self.slice = self.slice.saturating_mul(2).min(MOST_ROWS);
        }
        Ok(())
    }

    /// The next rows that meet what is necessary.
    async fn slice(&self, first: i64, below: i64, most: usize) -> Result<Vec<Row>, StoreError> {
        let plan = &self.plan;
        let order = match self.wanted.direction {
            Direction::NewestFirst => "DESC",
            Direction::OldestFirst => "ASC",
        };
        let next = plan.values.len().saturating_add(1);
        let (from, to, limit) = (next, next.saturating_add(1), next.saturating_add(2));
        let seqs = format!(
            "SELECT d.seq, octet_length(d.body) + octet_length(d.headers) AS bytes
             FROM deliveries d
             WHERE {} AND d.seq >= ${from} AND d.seq < ${to}
             ORDER BY d.seq {order} LIMIT ${limit}",
            plan.necessary
        );
        let seqs = if plan.reads_headers || plan.reads_body {
            format!(
                "SELECT seq FROM (
                     SELECT seq, bytes, sum(bytes) OVER (ORDER BY seq {order}) AS weight FROM ({seqs}) slice
                 ) weighed WHERE weight - bytes < {SLICE_BYTES}"
            )
        } else {
            seqs
        };
        let sql = format!(
            "SELECT {}{} FROM ({seqs}) chosen JOIN deliveries d USING (seq) ORDER BY d.seq {order}",
            self.wanted.columns,
            plan.extra_columns()
        );
        let bounds = [
            Value::Number(first),
            Value::Number(below),
            Value::Number(i64::try_from(most).unwrap_or(i64::MAX)),
        ];
        let params: Vec<_> = plan.values.iter().chain(&bounds).map(Value::param).collect();
        self.connection.search(&sql, &params).await
    }

    /// Takes the rows that match, at most `left`. Texts are compared on a thread where nothing else waits.
    async fn take(&mut self, rows: Vec<Row>, left: usize) -> Result<(), StoreError> {
        let (plan, read, began) = (Arc::clone(&self.plan), self.wanted.read, self.began);
        let judge = move || {
            let mut found = Vec::new();
            for row in &rows {
                if found.len() >= left {
                    break;
                }
                if began.elapsed() > DEADLINE {
                    return Err(StoreError::TooLong(DEADLINE.as_secs()));
                }
                if plan.decides(row)? {
                    found.push(read(row)?);
                }
            }
            Ok(found)
        };
        let found = if self.plan.rest.is_none() {
            judge()?
        } else {
            let judged = self.store.runtime().spawn_blocking(judge).await;
            judged.map_err(|_| StoreError::Unavailable("the query failed".to_owned()))??
        };
        self.found.extend(found);
        Ok(())
    }
}
