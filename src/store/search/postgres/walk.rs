//! Runs a query slice by slice, from the newest row to the oldest or the other way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Row;

use super::condition::Plan;
use super::value::Value;
use crate::domain::Timestamp;
use crate::store::postgres::{Connection, Postgres, Typed as _, column, params, whole};
use crate::store::search::DEADLINE;
use crate::store::{Stopped, StoreError};

/// The rows of the first slice if the node decides; each slice is twice as long as the one before.
const FIRST_SLICE: usize = 256;
/// The most rows of a slice.
const MOST_ROWS: usize = 4_096;
/// The most bytes of headers and bodies in a slice, apart from its last row.
const SLICE_BYTES: i64 = 8 << 20;
/// The rows of a stretch: a walk with a budget checks the time after each one.
const STRETCH: i64 = 8_192;

/// The direction of a walk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    NewestFirst,
    OldestFirst,
}

/// The columns that are read of each matching row, and the most rows.
pub struct Wanted<T> {
    pub columns: &'static str,
    pub read: fn(&Row) -> Result<T, StoreError>,
    pub limit: usize,
    pub direction: Direction,
    /// The longest time for a walk from the newest to the oldest, which stops with what it has found. Any other walk fails
    /// at the deadline of every search.
    pub budget: Duration,
}

/// Positions from `first` to before `below`.
#[derive(Clone, Copy)]
struct Bounds {
    first: i64,
    below: i64,
}

/// The least and the greatest of some numbers.
#[derive(Clone, Copy)]
struct Extent {
    least: i64,
    most: i64,
}

impl Default for Extent {
    fn default() -> Self {
        Self { least: i64::MAX, most: i64::MIN }
    }
}

impl Extent {
    fn add(&mut self, number: i64) {
        self.least = self.least.min(number);
        self.most = self.most.max(number);
    }
}

/// The next rows of a walk.
#[derive(Default)]
struct Slice {
    rows: Vec<Row>,
    /// The position up to which they were read; `None` if there is nothing left.
    last: Option<i64>,
    /// Whether no row follows.
    is_last: bool,
}

/// A walk through the log.
pub struct Walk<'s, T> {
    store: &'s Postgres,
    connection: Connection,
    plan: Arc<Plan>,
    wanted: Wanted<T>,
    /// The matches so far.
    pub found: Vec<T>,
    began: Instant,
    slice: usize,
    /// What is left of it.
    left: Bounds,
}

impl<'s, T: Send + 'static> Walk<'s, T> {
    pub fn new(store: &'s Postgres, connection: Connection, plan: Plan, wanted: Wanted<T>) -> Self {
        let (plan, began) = (Arc::new(plan), Instant::now());
        let left = Bounds { first: 0, below: 0 };
        Self { store, connection, plan, wanted, found: Vec::new(), began, slice: FIRST_SLICE, left }
    }

    /// Whether the rows that are wanted were found.
    pub fn is_full(&self) -> bool {
        self.found.len() >= self.wanted.limit
    }

    /// Whether every row was looked at.
    pub const fn is_at_end(&self) -> bool {
        self.left.first >= self.left.below
    }

    /// Whether the walk ends here. It is asked after a slice, so that every walk makes progress.
    fn is_over(&self) -> bool {
        self.is_full() || self.is_at_end() || self.began.elapsed() > self.wanted.budget
    }

    /// Where the search continues, if the time was over.
    pub async fn stopped(&self) -> Result<Option<Stopped>, StoreError> {
        if self.is_full() || self.is_at_end() {
            return Ok(None);
        }
        let before = self.left.below;
        let sql = "SELECT received_at FROM deliveries WHERE seq >= $1 ORDER BY seq LIMIT 1";
        let row = self.connection.maybe(sql, &params![before]).await?;
        row.map(|row| {
            let received_at = Timestamp::from_micros(column(&row, "received_at")?);
            Ok(Stopped { before, received_at })
        })
        .transpose()
    }

    /// Collects the matching rows from `first` to before `below`.
    pub async fn walk(&mut self, first: i64, below: i64) -> Result<(), StoreError> {
        self.left = Bounds { first, below };
        if self.wanted.direction == Direction::OldestFirst || self.plan.is_led {
            return self.scan(self.left).await;
        }
        while !self.is_at_end() {
            let Some(from) = self.stretch(self.left).await? else {
                self.left.below = first;
                return Ok(());
            };
            self.scan(Bounds { first: from, below: self.left.below }).await?;
            if self.is_over() {
                break;
            }
        }
        Ok(())
    }

    /// The first position of the last stretch within `bounds`; `None` if it is empty.
    async fn stretch(&self, bounds: Bounds) -> Result<Option<i64>, StoreError> {
        let row = self
            .connection
            .one(
                r"
                SELECT min(seq) AS first
                FROM (
                    SELECT seq
                    FROM deliveries
                    WHERE seq >= $1 AND seq < $2
                    ORDER BY seq DESC
                    LIMIT $3
                ) stretch
                ",
                &params![bounds.first, bounds.below, STRETCH],
            )
            .await?;
        column(&row, "first")
    }

    async fn scan(&mut self, bounds: Bounds) -> Result<(), StoreError> {
        let mut bounds = bounds;
        while bounds.first < bounds.below && !self.is_full() {
            if self.began.elapsed() > DEADLINE {
                return Err(StoreError::TooLong(DEADLINE.as_secs()));
            }
            let left = self.wanted.limit.saturating_sub(self.found.len());
            let most = if self.plan.rest.is_none() { left } else { self.slice };
            let slice = if self.plan.reads_headers || self.plan.reads_body {
                self.slice_with_bytes(bounds, most).await?
            } else {
                self.slice(bounds, most).await?
            };
            let is_last = slice.is_last || slice.last.is_none();
            self.take(slice.rows, left).await?;
            match (self.wanted.direction, slice.last.filter(|_| !is_last)) {
                (Direction::NewestFirst, last) => {
                    bounds.below = last.unwrap_or(bounds.first);
                    self.left.below = bounds.below;
                    if self.is_over() {
                        return Ok(());
                    }
                }
                (Direction::OldestFirst, Some(last)) => bounds.first = last.saturating_add(1),
                (Direction::OldestFirst, None) => return Ok(()),
            }
            self.slice = self.slice.saturating_mul(2).min(MOST_ROWS);
        }
        Ok(())
    }

    /// The next rows that meet the necessary condition.
    async fn slice(&self, bounds: Bounds, most: usize) -> Result<Slice, StoreError> {
        let columns = format!("{}{}", self.wanted.columns, self.plan.extra_columns());
        let rows = self.rows(&columns, bounds, None, most).await?;
        let last = rows.last().map(|row| column(row, "seq")).transpose()?;
        Ok(Slice { is_last: rows.len() < most, last, rows })
    }

    /// The same, with headers and bodies, and fewer rows if these are large. Their sizes are read first: that costs
    /// little, and tells the days, so that the second statement reads no other partitions.
    async fn slice_with_bytes(&self, bounds: Bounds, most: usize) -> Result<Slice, StoreError> {
        let sizes = "d.seq, d.received_at, octet_length(d.body)::bigint + octet_length(d.headers) AS bytes";
        let sized = self.rows(sizes, bounds, None, most).await?;
        let mut weight = 0_i64;
        let mut last = None;
        let (mut seqs, mut times) = (Extent::default(), Extent::default());
        for row in &sized {
            if weight >= SLICE_BYTES {
                break;
            }
            weight = weight.saturating_add(column(row, "bytes")?);
            let seq = column(row, "seq")?;
            last = Some(seq);
            seqs.add(seq);
            times.add(column(row, "received_at")?);
        }
        if last.is_none() {
            return Ok(Slice::default());
        }
        let bounds = Bounds { first: seqs.least, below: seqs.most.saturating_add(1) };
        let columns = format!("{}{}", self.wanted.columns, self.plan.extra_columns());
        // No limit: rows committed between the two statements must not displace others.
        let rows = self.rows(&columns, bounds, Some(times), usize::MAX).await?;
        Ok(Slice { rows, last, is_last: false })
    }

    /// Columns of the next rows that meet the necessary condition, received within `times`.
    async fn rows(
        &self,
        columns: &str,
        bounds: Bounds,
        times: Option<Extent>,
        most: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let plan = &self.plan;
        let order = match self.wanted.direction {
            Direction::NewestFirst => "DESC",
            Direction::OldestFirst => "ASC",
        };
        let mut own = vec![bounds.first, bounds.below, whole(most)];
        let next = plan.values.len().saturating_add(1);
        let (first, below, limit) = (next, next.saturating_add(1), next.saturating_add(2));
        let mut within = String::new();
        if let Some(times) = times {
            let (from, to) = (next.saturating_add(3), next.saturating_add(4));
            within = format!("AND d.received_at BETWEEN ${from} AND ${to}");
            own.extend([times.least, times.most]);
        }
        let sql = format!(
            r"
            SELECT {columns}
            FROM deliveries d
            WHERE {} AND d.seq >= ${first} AND d.seq < ${below} {within}
            ORDER BY d.seq {order}
            LIMIT ${limit}
            ",
            plan.necessary
        );
        let params: Vec<_> = plan.values.iter().map(Value::param).chain(own.iter().map(i64::param)).collect();
        self.connection.search(&sql, &params).await
    }

    /// Collects the matching ones of `rows`, at most `left`. Texts are compared on a thread of their own.
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
