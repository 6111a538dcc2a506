//! Search as PostgreSQL does it: see `Search`.

use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Row;

use super::condition::Plan;
use super::walk::{Direction, Walk, Wanted};
use crate::domain::{DeliveryFilter, Timestamp, Verdict};
use crate::store::log::encoding::{verdict, verdict_number};
use crate::store::log::postgres::rows::{self, ROW_COLUMNS};
use crate::store::postgres::{Postgres, column, horizon, params};
use crate::store::search::DEADLINE;
use crate::store::{Matches, Search, SearchPage, StoreError, Tail};

/// The columns that `matches` reads, and those that a text is searched in.
const SEEN_COLUMNS: &str = "d.seq, d.received_at, d.verdict, d.path, d.source, d.event_type, d.event_name,
    d.event_id, d.entity";

#[async_trait]
impl Search for Postgres {
    /// There is no index yet: texts are read from the log.
    fn start_indexing(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn page(
        &self,
        filter: &DeliveryFilter,
        before: Option<i64>,
        limit: usize,
        budget: Duration,
    ) -> Result<SearchPage, StoreError> {
        let plan = Plan::of(&filter.query(), self.clock.wall());
        let direction = Direction::NewestFirst;
        let wanted = Wanted { columns: ROW_COLUMNS, read: rows::row, limit, direction, budget };
        let mut walk = Walk::new(self, self.connection().await?, plan, wanted);
        walk.walk(0, before.unwrap_or(i64::MAX)).await?;
        Ok(SearchPage { stopped: walk.stopped().await?, rows: walk.found })
    }

    async fn since(&self, filter: &DeliveryFilter, after: i64, limit: usize) -> Result<Tail, StoreError> {
        let connection = self.connection().await?;
        let horizon = horizon(&connection).await?;
        if after >= horizon {
            // Its reader starts again from what is there.
            return Err(StoreError::Unavailable("a failover has lost the end of the log".to_owned()));
        }
        let newest = (*self.newest.borrow()).min(horizon.saturating_sub(1));
        let plan = Plan::of(&filter.query(), self.clock.wall());
        let (direction, budget) = (Direction::OldestFirst, DEADLINE);
        let wanted = Wanted { columns: ROW_COLUMNS, read: rows::row, limit, direction, budget };
        let mut walk = Walk::new(self, connection, plan, wanted);
        walk.walk(after.saturating_add(1), horizon).await?;
        let rows = walk.found;
        let last = rows.last().map_or(after, |row| row.seq);
        // After a full page there may be more. Otherwise the page covers everything below the horizon. A cursor is not put
        // there, but to a row that is there: after a failover, positions without a row may be used again.
        let through = if rows.len() >= limit { last } else { last.max(newest) };
        if !rows.is_empty() {
            // What a reader of this node has seen, this node has seen.
            self.see(last);
        }
        Ok(Tail { rows, through: through.max(after) })
    }

    async fn total(&self, verdict: Option<Verdict>) -> Result<u64, StoreError> {
        let row = self
            .connection()
            .await?
            .one(
                r"
                SELECT coalesce(sum(rows), 0)::bigint AS rows
                FROM delivery_totals
                WHERE $1 IS NULL OR verdict = $1
                ",
                &params![verdict.map(verdict_number)],
            )
            .await?;
        Ok(u64::try_from(column::<i64>(&row, "rows")?).unwrap_or(0))
    }

    async fn matches(
        &self,
        filter: &DeliveryFilter,
        most: usize,
        budget: Duration,
    ) -> Result<Matches, StoreError> {
        let plan = Plan::of(&filter.query(), self.clock.wall());
        let wanted = Wanted {
            columns: SEEN_COLUMNS,
            read: seen,
            // One more than fits tells whether there are more.
            limit: most.saturating_add(1),
            direction: Direction::NewestFirst,
            budget,
        };
        let mut walk = Walk::new(self, self.connection().await?, plan, wanted);
        walk.walk(0, i64::MAX).await?;
        let is_all = !walk.is_full() && walk.is_at_end();
        let mut seen = walk.found;
        seen.truncate(most);
        Ok(Matches { seen, is_all })
    }
}

fn seen(row: &Row) -> Result<(Timestamp, Verdict), StoreError> {
    let verdict = verdict(column(row, "verdict")?).unwrap_or(Verdict::Rejected);
    Ok((Timestamp::from_micros(column(row, "received_at")?), verdict))
}
