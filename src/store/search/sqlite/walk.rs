//! Runs a query from the newest row to the oldest: with the index if there is one, otherwise row by row.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter, types::Value};

use super::candidates::{Candidates, Seen};
use super::condition::Where;
use super::file::{Indexed, Lookups, SearchFile, last_of};
use super::positions::{SEGMENT, first_of, segment_of};
use crate::domain::{DeliveryRow, Query, Timestamp, Verdict};
use crate::store::Matches;
use crate::store::log::encoding;
use crate::store::log::sqlite::rows::{self as delivery_rows, ROW_COLUMNS};
use crate::store::sqlite::fields::time;
use crate::store::sqlite::{reader, whole};

/// A segment is read as a whole if more than one row in this many is a candidate.
const DENSE: i64 = 16;
/// The same for conditions that read headers or bodies.
const DENSE_WITH_BYTES: i64 = 2;

/// The columns that are read of each matching row, and the most rows.
struct Wanted<T> {
    columns: &'static str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
    limit: usize,
    /// The longest time for the walk; without one, the time limit of every query applies.
    budget: Option<Duration>,
}

/// Rows that match, newest first, before the position `before`; at most `limit`.
pub fn list(
    connection: &Connection,
    file: &SearchFile,
    query: &Query,
    now: Timestamp,
    before: Option<i64>,
    limit: usize,
) -> rusqlite::Result<Vec<DeliveryRow>> {
    let wanted = Wanted { columns: ROW_COLUMNS, read: delivery_rows::row, limit, budget: None };
    walk(connection, file, query, now, before, wanted).map(|walk| walk.rows)
}

/// When the newest matching rows were received, and their verdicts: at most `most`, found within `budget`.
pub fn matches(
    connection: &Connection,
    file: &SearchFile,
    query: &Query,
    now: Timestamp,
    most: usize,
    budget: Duration,
) -> rusqlite::Result<Matches> {
    let read = |row: &Row<'_>| {
        let verdict = encoding::verdict(row.get("verdict")?).unwrap_or(Verdict::Rejected);
        Ok((time(row, "received_at")?, verdict))
    };
    // One more than fits tells whether there are more.
    let limit = most.saturating_add(1);
    let wanted = Wanted { columns: "d.received_at, d.verdict", read, limit, budget: Some(budget) };
    let walk = walk(connection, file, query, now, None, wanted)?;
    let is_all = !walk.is_full();
    let mut seen = walk.rows;
    seen.truncate(most);
    Ok(Matches { seen, is_all })
}

fn walk<'c, T>(
    connection: &'c Connection,
    file: &SearchFile,
    query: &Query,
    now: Timestamp,
    before: Option<i64>,
    wanted: Wanted<T>,
) -> rusqlite::Result<Walk<'c, T>> {
    let condition = Where::of(query, now);
    let mut walk = Walk { connection, condition, wanted, rows: Vec::new(), began: Instant::now() };
    let bounds = connection
        .prepare_cached(
            r"
            SELECT
                (SELECT min(seq) FROM deliveries) AS oldest,
                (SELECT max(seq) FROM deliveries) AS newest
            ",
        )?
        .query_row([], |row| Ok((row.get("oldest")?, row.get("newest")?)))?;
    let (Some(oldest), Some(newest)): (Option<i64>, Option<i64>) = bounds else { return Ok(walk) };
    let below = before.unwrap_or(i64::MAX).min(newest.saturating_add(1));
    if below <= oldest {
        return Ok(walk);
    }
    if query.is_everything() || file.is_empty() {
        walk.scan(oldest, below)?;
        return Ok(walk);
    }
    let found = file.ask(|lookups, segments| walk.by_segments(lookups, segments, query, now, oldest, below));
    if let Err(fault) = found {
        if reader::is_interrupted(&fault) {
            return Err(fault);
        }
        tracing::warn!(%fault, "the search index cannot be read; the log is read instead");
        file.note(&fault);
        walk.rows.clear();
        walk.scan(oldest, below)?;
    }
    Ok(walk)
}

struct Walk<'c, T> {
    connection: &'c Connection,
    condition: Where,
    wanted: Wanted<T>,
    rows: Vec<T>,
    began: Instant,
}

impl<T> Walk<'_, T> {
    /// Whether the walk ends here, even if more rows may match.
    fn is_full(&self) -> bool {
        let is_late = |budget| self.began.elapsed() > budget;
        self.rows.len() >= self.wanted.limit || self.wanted.budget.is_some_and(is_late)
    }

    fn by_segments(
        &mut self,
        lookups: &Lookups<'_>,
        segments: &BTreeMap<i64, Indexed>,
        query: &Query,
        now: Timestamp,
        oldest: i64,
        below: i64,
    ) -> rusqlite::Result<()> {
        let mut below = below;
        let seen = &Seen::default();
        while !self.is_full() && below > oldest {
            let number = segment_of(below.saturating_sub(1));
            let Some(segment) = segments.get(&number) else {
                // Down to the next segment with an index.
                let next = segments.range(..number).next_back();
                let from = next.map_or(oldest, |(next, _)| last_of(*next).saturating_add(1)).max(oldest);
                self.scan(from, below)?;
                below = from;
                continue;
            };
            let log = self.connection;
            let (candidates, indexed) = match segment {
                Indexed::Kept(segment) => {
                    let postings = &lookups.segment(number);
                    (Candidates { log, postings, seen, number, segment: *segment, now }.of(query)?, below)
                }
                Indexed::Open(open) => {
                    let open = open.read();
                    let (postings, segment) = (&*open, open.segment());
                    (Candidates { log, postings, seen, number, segment, now }.of(query)?, open.next())
                }
            };
            if indexed < below {
                self.scan(indexed.max(oldest), below)?;
                below = indexed;
            }
            // A row read alone costs many times as much as one read in sequence.
            let dense = if self.condition.reads_bytes { DENSE_WITH_BYTES } else { DENSE };
            if i64::from(candidates.count()).saturating_mul(dense) > SEGMENT {
                self.scan(first_of(number).max(oldest), below)?;
                below = first_of(number);
                continue;
            }
            for place in candidates.newest_first() {
                let seq = first_of(number).saturating_add(place);
                if self.is_full() {
                    return Ok(());
                }
                if seq < below {
                    self.look_at(seq)?;
                }
            }
            below = first_of(number);
        }
        Ok(())
    }

    /// Adds the row at `seq` if it matches.
    fn look_at(&mut self, seq: i64) -> rusqlite::Result<()> {
        if reader::is_over(self.began) {
            return Err(reader::interrupted());
        }
        let sql = format!(
            r"
            SELECT {}
            FROM {}
            WHERE {} AND d.seq = ?
            ",
            self.wanted.columns,
            self.condition.tables(),
            self.condition.sql
        );
        let values = self.condition.values.iter().cloned().chain([Value::Integer(seq)]);
        let row = self
            .connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(values), self.wanted.read)
            .optional()?;
        self.rows.extend(row);
        Ok(())
    }

    /// Collects the matching rows from `first` to before `below`; within a budget stretch by stretch, to end in time.
    fn scan(&mut self, first: i64, below: i64) -> rusqlite::Result<()> {
        let stretch = if self.wanted.budget.is_some() { SEGMENT } else { i64::MAX };
        let mut below = below;
        while below > first && !self.is_full() {
            let from = below.saturating_sub(stretch).max(first);
            self.scan_stretch(from, below)?;
            below = from;
        }
        Ok(())
    }

    fn scan_stretch(&mut self, first: i64, below: i64) -> rusqlite::Result<()> {
        let left = self.wanted.limit.saturating_sub(self.rows.len());
        let sql = format!(
            r"
            SELECT {}
            FROM {}
            WHERE {} AND d.seq >= ? AND d.seq < ?
            ORDER BY d.seq DESC
            LIMIT ?
            ",
            self.wanted.columns,
            self.condition.tables(),
            self.condition.sql
        );
        let bounds = [Value::Integer(first), Value::Integer(below), Value::Integer(whole(left))];
        let values = self.condition.values.iter().cloned().chain(bounds);
        let mut read = self.connection.prepare_cached(&sql)?;
        let found = read.query_map(params_from_iter(values), self.wanted.read)?;
        for row in found {
            self.rows.push(row?);
        }
        Ok(())
    }
}
