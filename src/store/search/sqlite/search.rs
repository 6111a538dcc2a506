//! Search as SQLite does it: see `Search`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::condition::Where;
use super::indexer::Indexer;
use super::walk;
use crate::domain::{DeliveryFilter, DeliveryRow, Query, Timestamp, Verdict};
use crate::store::log::encoding::verdict_number;
use crate::store::log::sqlite::rows::{self as delivery_rows, ROW_COLUMNS};
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{Log as _, Matches, Search, SearchPage, StoreError, Tail};

#[async_trait]
impl Search for Sqlite {
    fn start_indexing(&self) -> Result<(), StoreError> {
        let (shared, file) = (Arc::clone(&self.shared), Arc::clone(&self.search));
        let started = Indexer::start(self.shared.path(), shared, file, &self.workers);
        let indexer =
            started.map_err(|fault| StoreError::Unavailable(format!("no thread for search: {fault}")))?;
        // A second indexer would be dropped here, which ends it.
        let _ = self.indexer.set(indexer);
        Ok(())
    }

    async fn page(
        &self,
        filter: &DeliveryFilter,
        before: Option<i64>,
        limit: usize,
        budget: Duration,
    ) -> Result<SearchPage, StoreError> {
        let (search, query, now) = (Arc::clone(&self.search), filter.query(), self.clock.wall());
        self.read(move |from| walk::page(from, &search, &query, now, before, limit, budget)).await
    }

    async fn since(&self, filter: &DeliveryFilter, after: i64, limit: usize) -> Result<Tail, StoreError> {
        let newest = *self.newest().borrow();
        let (query, now) = (filter.query(), self.clock.wall());
        let rows = self.read(move |from| since(from, &query, now, after, limit)).await?;
        let last = rows.last().map_or(after, |row| row.seq);
        // After a full page there may be more. Otherwise the page covers everything committed before the query.
        let through = if rows.len() >= limit { last } else { last.max(newest) };
        Ok(Tail { rows, through: through.max(after) })
    }

    async fn total(&self, verdict: Option<Verdict>) -> Result<u64, StoreError> {
        self.read(move |from| total(from, verdict)).await
    }

    async fn matches(
        &self,
        filter: &DeliveryFilter,
        most: usize,
        budget: Duration,
    ) -> Result<Matches, StoreError> {
        let (search, query, now) = (Arc::clone(&self.search), filter.query(), self.clock.wall());
        self.read(move |from| walk::matches(from, &search, &query, now, most, budget)).await
    }
}

/// Rows that match after a position, oldest first.
fn since(
    connection: &Connection,
    query: &Query,
    now: Timestamp,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<DeliveryRow>> {
    let condition = Where::of(query, now);
    // The tail is short, so walking it is faster than any index on the filters. The unary plus keeps SQLite from using
    // an index.
    let sql = format!(
        r"
        SELECT {ROW_COLUMNS}
        FROM {}
        WHERE d.seq > ? AND +({})
        ORDER BY d.seq
        LIMIT ?
        ",
        condition.tables(),
        condition.sql
    );
    let values = [Value::Integer(after)].into_iter().chain(condition.values);
    let values = values.chain([Value::Integer(whole(limit))]);
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values), delivery_rows::row)?.collect()
}

/// The number of deliveries, of one verdict or of all. The totals do not include pinned deliveries.
fn total(connection: &Connection, verdict: Option<Verdict>) -> rusqlite::Result<u64> {
    let verdict = verdict.map(verdict_number);
    connection
        .prepare_cached(
            r"
            SELECT (
                SELECT coalesce(sum(rows), 0)
                FROM totals
                WHERE ?1 IS NULL OR verdict = ?1
            ) + (
                SELECT count(*)
                FROM delivery_marks m
                JOIN deliveries d USING (seq)
                WHERE m.is_pinned AND (?1 IS NULL OR d.verdict = ?1)
            )
            ",
        )?
        .query_row([verdict], |row| row.get::<_, i64>(0))
        .map(|rows| u64::try_from(rows).unwrap_or(0))
}
