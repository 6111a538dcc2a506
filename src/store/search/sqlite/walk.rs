//! Runs a query from the newest row to the oldest: with the index if there is one, otherwise row by row.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter, types::Value};

use super::candidates::Candidates;
use super::condition::Where;
use super::folder::SearchFolder;
use super::indexed::Indexed;
use super::kept::Lookups;
use super::plan::Plan;
use super::positions::{SEGMENT, first_of, last_of, segment_of};
use super::rows::Rows;
use crate::domain::{Query, Timestamp, Verdict};
use crate::store::log::encoding;
use crate::store::log::sqlite::rows::{self as delivery_rows, ROW_COLUMNS};
use crate::store::sqlite::fields::time;
use crate::store::sqlite::whole;
use crate::store::{Matches, SearchPage, Stopped};

/// A segment is read as a whole if more than one row in this many is a candidate.
const DENSE: i64 = 16;
/// The same for conditions that read headers or bodies.
const DENSE_WITH_BYTES: i64 = 2;

/// The positions of the first stretch that is read row by row.
const FIRST_STRETCH: i64 = 256;
/// After a stretch that took less, the next one is twice as long; after one that took more than four times as long, half.
const QUICK: Duration = Duration::from_millis(20);

/// The columns that are read of each matching row, the most rows, and the longest time.
struct Wanted<T> {
    columns: &'static str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
    limit: usize,
    budget: Duration,
}

/// Rows that match, newest first, before the position `before`; at most `limit`, found within `budget`.
pub fn page(
    connection: &Connection,
    index: &SearchFolder,
    query: &Query,
    now: Timestamp,
    before: Option<i64>,
    limit: usize,
    budget: Duration,
) -> rusqlite::Result<SearchPage> {
    let wanted = Wanted { columns: ROW_COLUMNS, read: delivery_rows::row, limit, budget };
    let walk = walk(connection, index, query, now, before, wanted)?;
    Ok(SearchPage { stopped: walk.stopped()?, rows: walk.rows })
}

/// When the newest matching rows were received, and their verdicts: at most `most`, found within `budget`.
pub fn matches(
    connection: &Connection,
    index: &SearchFolder,
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
    let wanted = Wanted { columns: "d.received_at, d.verdict", read, limit, budget };
    let walk = walk(connection, index, query, now, None, wanted)?;
    let is_all = !walk.is_full() && walk.is_at_end();
    let mut seen = walk.rows;
    seen.truncate(most);
    Ok(Matches { seen, is_all })
}

fn walk<'c, T>(
    connection: &'c Connection,
    index: &SearchFolder,
    query: &Query,
    now: Timestamp,
    before: Option<i64>,
    wanted: Wanted<T>,
) -> rusqlite::Result<Walk<'c, T>> {
    let condition = Where::of(query, now);
    let bounds = connection
        .prepare_cached(
            r"
            SELECT
                (SELECT min(seq) FROM deliveries) AS oldest,
                (SELECT max(seq) FROM deliveries) AS newest
            ",
        )?
        .query_row([], |row| Ok((row.get("oldest")?, row.get("newest")?)))?;
    let (oldest, below) = match bounds {
        (Some(oldest), Some(newest)) => {
            (oldest, before.unwrap_or(i64::MAX).min(i64::saturating_add(newest, 1)))
        }
        _ => (0, 0),
    };
    let mut walk =
        Walk { connection, condition, wanted, rows: Vec::new(), began: Instant::now(), oldest, below };
    if query.is_everything() || index.is_empty() {
        walk.scan(oldest)?;
    } else {
        walk.by_segments(index, &Plan::of(query, connection, now)?)?;
    }
    Ok(walk)
}

struct Walk<'c, T> {
    connection: &'c Connection,
    condition: Where,
    wanted: Wanted<T>,
    rows: Vec<T>,
    began: Instant,
    /// The first position of the log.
    oldest: i64,
    /// Everything from this position on was looked at.
    below: i64,
}

impl<T> Walk<'_, T> {
    /// Whether the rows that are wanted were found.
    fn is_full(&self) -> bool {
        self.rows.len() >= self.wanted.limit
    }

    fn is_at_end(&self) -> bool {
        self.below <= self.oldest
    }

    /// Whether the walk ends here. It is asked after a stretch or a row, so that every walk makes progress.
    fn is_over(&self) -> bool {
        self.is_full() || self.is_at_end() || self.began.elapsed() > self.wanted.budget
    }

    /// Where the search continues, if the time was over.
    fn stopped(&self) -> rusqlite::Result<Option<Stopped>> {
        if self.is_full() || self.is_at_end() {
            return Ok(None);
        }
        let received_at = self
            .connection
            .prepare_cached("SELECT received_at FROM deliveries WHERE seq >= ?1 ORDER BY seq LIMIT 1")?
            .query_row([self.below], |row| time(row, "received_at"))
            .optional()?;
        Ok(received_at.map(|received_at| Stopped { before: self.below, received_at }))
    }

    fn by_segments(&mut self, index: &SearchFolder, plan: &Plan) -> rusqlite::Result<()> {
        let segments = index.segments();
        let mut lookups: Option<Lookups<'_>> = None;
        while !self.is_at_end() {
            let number = segment_of(self.below.saturating_sub(1));
            let log = self.connection;
            match segments.get(&number) {
                Some(Indexed::Kept(kept)) => {
                    let known = lookups.take().filter(|lookups| lookups.are_in(kept));
                    let lookups = lookups.insert(known.unwrap_or_else(|| Lookups::of(index, &kept.pack)));
                    let (postings, segment) = (&lookups.segment(kept.place), kept.segment);
                    let candidates = Candidates { log, postings, number, segment }.of(plan)?;
                    self.by_candidates(number, &candidates)?;
                }
                Some(Indexed::Open(open)) => {
                    let open = open.read();
                    let (postings, segment) = (&*open, open.segment());
                    let candidates = Candidates { log, postings, number, segment }.of(plan)?;
                    let indexed = open.next();
                    drop(open);
                    let has_rest = indexed < self.below;
                    self.scan(indexed)?;
                    if !has_rest || !self.is_over() {
                        self.by_candidates(number, &candidates)?;
                    }
                }
                // Down to the next segment with an index.
                None => {
                    let next = segments.range(..number).next_back();
                    self.scan(next.map_or(self.oldest, |(next, _)| last_of(*next).saturating_add(1)))?;
                }
            }
            if self.is_over() {
                break;
            }
        }
        Ok(())
    }

    /// Looks at the candidates of a segment, or at all of its rows if many of them are.
    fn by_candidates(&mut self, number: i64, candidates: &Rows) -> rusqlite::Result<()> {
        // A row read alone costs many times as much as one read in sequence.
        let dense = if self.condition.reads_bytes { DENSE_WITH_BYTES } else { DENSE };
        if i64::from(candidates.count()).saturating_mul(dense) > SEGMENT {
            return self.scan(first_of(number));
        }
        for place in candidates.newest_first() {
            let seq = first_of(number).saturating_add(place);
            if seq < self.below {
                self.look_at(seq)?;
                self.below = seq;
                if self.is_over() {
                    return Ok(());
                }
            }
        }
        self.below = first_of(number);
        Ok(())
    }

    /// Adds the row at `seq` if it matches.
    fn look_at(&mut self, seq: i64) -> rusqlite::Result<()> {
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

    /// Collects the matching rows from `first` on, or from the beginning of the log if that is later, stretch by stretch: one
    /// statement can only be interrupted, not stopped with what it has found.
    fn scan(&mut self, first: i64) -> rusqlite::Result<()> {
        let first = first.max(self.oldest);
        let mut stretch = FIRST_STRETCH;
        while self.below > first {
            let began = Instant::now();
            let from = self.below.saturating_sub(stretch).max(first);
            self.scan_stretch(from, self.below)?;
            self.below = from;
            if self.is_over() {
                break;
            }
            let took = began.elapsed();
            if took < QUICK {
                stretch = stretch.saturating_mul(2);
            } else if took > QUICK.saturating_mul(4) {
                stretch = (stretch / 2).max(1);
            }
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
