//! The rows of a segment that may match a query.

use rusqlite::Connection;

use super::plan::{Plan, Slices};
use super::positions::{first_of, last_of};
use super::rows::Rows;
use super::segment::{Postings, Segment};

/// Rows that may match, and whether all of them do.
struct Found {
    rows: Rows,
    is_exact: bool,
}

impl Found {
    const fn exactly(rows: Rows) -> Self {
        Self { rows, is_exact: true }
    }

    const fn perhaps(rows: Rows) -> Self {
        Self { rows, is_exact: false }
    }
}

/// After how many segments the rows of a slice are counted again.
const COUNTED_AGAIN: i64 = 8;

/// The segment in which candidates are searched.
pub struct Candidates<'p> {
    pub log: &'p Connection,
    pub postings: &'p dyn Postings,
    pub number: i64,
    pub segment: Segment,
}

impl Candidates<'_> {
    /// The candidates of `plan`: a superset of the matching rows.
    pub fn of(&self, plan: &Plan) -> rusqlite::Result<Rows> {
        Ok(self.within(&Rows::all(), plan)?.rows)
    }

    /// Those among the rows `asked`; of the other rows nothing is said.
    fn within(&self, asked: &Rows, plan: &Plan) -> rusqlite::Result<Found> {
        let and = |mut rows: Rows| {
            rows.intersect(asked);
            rows
        };
        Ok(match plan {
            Plan::Slices(slices) => Found::perhaps(self.slices(asked, slices)),
            Plan::Term(term, is_exact) => Found { rows: and(self.postings.term(term)), is_exact: *is_exact },
            Plan::Range(range, is_exact) => {
                Found { rows: and(self.postings.range(range)), is_exact: *is_exact }
            }
            Plan::Positions(positions) => Found::exactly(and(self.rows(positions.iter().copied()))),
            Plan::KeptIn(table) => Found::perhaps(and(self.kept_in(table)?)),
            Plan::From(from) => Found::perhaps(asked_if(self.segment.latest >= *from, asked)),
            Plan::To(to) => Found::perhaps(asked_if(self.segment.earliest < *to, asked)),
            Plan::Unknown => Found::perhaps(asked.clone()),
            Plan::Not(inner) => {
                let found = self.within(asked, inner)?;
                match found.is_exact {
                    true => Found::exactly(and(found.rows.others())),
                    false => Found::perhaps(asked.clone()),
                }
            }
            Plan::All(all) => {
                let mut together = Found::exactly(asked.clone());
                for one in all {
                    let found = self.within(&together.rows, one)?;
                    together.rows = found.rows;
                    together.is_exact &= found.is_exact;
                    if together.rows.is_empty() {
                        return Ok(Found::exactly(Rows::none()));
                    }
                }
                together
            }
            Plan::Any(any) => {
                let mut together = Found::exactly(Rows::none());
                for one in any {
                    let found = self.within(asked, one)?;
                    together.rows.unite(&found.rows);
                    together.is_exact &= found.is_exact;
                }
                together
            }
        })
    }

    /// The rows that have all of these slices.
    fn slices(&self, asked: &Rows, Slices(slices): &Slices) -> Rows {
        let mut rows = asked.clone();
        let mut slices = slices.borrow_mut();
        let is_counted_again = self.number.rem_euclid(COUNTED_AGAIN) == 0;
        for (count, slice) in slices.iter_mut() {
            let found = self.postings.slice(*slice);
            if count.is_none() || is_counted_again {
                *count = Some(found.count());
            }
            rows.intersect(&found);
            if rows.is_empty() {
                break;
            }
        }
        slices.sort_by_key(|(count, _)| *count);
        rows
    }

    /// The rows that have an entry in `table`.
    fn kept_in(&self, table: &str) -> rusqlite::Result<Rows> {
        let mut read =
            self.log.prepare_cached(&format!("SELECT seq FROM {table} WHERE seq BETWEEN ?1 AND ?2"))?;
        let (first, last) = (first_of(self.number), last_of(self.number));
        let found = read.query_map([first, last], |row| row.get(0))?;
        Ok(self.rows(found.collect::<rusqlite::Result<Vec<i64>>>()?))
    }

    /// The rows of the segment at these log positions.
    fn rows(&self, positions: impl IntoIterator<Item = i64>) -> Rows {
        let (first, last) = (first_of(self.number), last_of(self.number));
        let mut rows = Rows::none();
        for seq in positions.into_iter().filter(|seq| (first..=last).contains(seq)) {
            rows.insert(u16::try_from(seq.saturating_sub(first)).unwrap_or(u16::MAX));
        }
        rows
    }
}

fn asked_if(may_match: bool, asked: &Rows) -> Rows {
    if may_match { asked.clone() } else { Rows::none() }
}
