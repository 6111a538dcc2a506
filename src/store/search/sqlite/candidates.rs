//! The rows of a segment that may match a query.

use std::cell::RefCell;
use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};

use super::rows::Rows;
use super::segment::{Postings, Segment};
use super::term::{self, Field, Hashed, Kind};
use crate::domain::{Condition, DeliveryId, Pattern, Query, Timestamp, Verdict};
use crate::store::search::text::folded;

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

/// The segment in which candidates are searched.
pub struct Candidates<'p> {
    pub log: &'p Connection,
    pub postings: &'p dyn Postings,
    pub seen: &'p Seen,
    pub number: i64,
    pub segment: Segment,
    pub now: Timestamp,
}

/// The number of rows with each slice in the segment searched before. The rarest slices are looked up first, which
/// often makes the others unnecessary.
pub type Seen = RefCell<HashMap<u16, u32>>;

impl Candidates<'_> {
    /// The candidates for `query`: a superset of the matching rows.
    pub fn of(&self, query: &Query) -> rusqlite::Result<Rows> {
        Ok(self.query(query)?.rows)
    }

    fn query(&self, query: &Query) -> rusqlite::Result<Found> {
        match query {
            Query::Is(condition) => self.condition(condition),
            Query::Not(inner) => {
                let found = self.query(inner)?;
                Ok(if found.is_exact {
                    Found::exactly(found.rows.others())
                } else {
                    Found::perhaps(Rows::all())
                })
            }
            Query::All(all) => {
                let mut together = Found::exactly(Rows::all());
                for one in all {
                    let found = self.query(one)?;
                    together.rows.intersect(&found.rows);
                    together.is_exact &= found.is_exact;
                    if together.rows.is_empty() {
                        return Ok(Found::exactly(Rows::none()));
                    }
                }
                Ok(together)
            }
            Query::Any(any) => {
                let mut together = Found::exactly(Rows::none());
                for one in any {
                    let found = self.query(one)?;
                    together.rows.unite(&found.rows);
                    together.is_exact &= found.is_exact;
                }
                Ok(together)
            }
        }
    }

    fn condition(&self, condition: &Condition) -> rusqlite::Result<Found> {
        Ok(match condition {
            Condition::Delivery(ids) => Found::exactly(self.deliveries(ids)?),
            Condition::Source(pattern) => self.pattern(Kind::Source, pattern)?,
            Condition::EventType(pattern) => self.pattern(Kind::EventType, pattern)?,
            Condition::EventId(pattern) => Found::perhaps(self.field(Field::EventId, pattern)?),
            Condition::Entity(pattern) => Found::perhaps(self.field(Field::Entity, pattern)?),
            Condition::UnverifiedId(pattern) | Condition::UnverifiedDevice(pattern) => {
                let mut rows = self.anywhere(pattern)?;
                rows.intersect(&self.term(&term::verdict(Verdict::Rejected))?);
                Found::perhaps(rows)
            }
            Condition::User(pattern) => Found::perhaps(self.anywhere(pattern)?),
            Condition::Method(pattern) => self.pattern(Kind::Method, pattern)?,
            Condition::Verdict(verdict) => Found::exactly(self.term(&term::verdict(*verdict))?),
            Condition::Reason(reason) => Found::exactly(self.term(&term::reason(*reason))?),
            Condition::Status(range) => {
                let terms = term::status(*range.start())..=term::status(*range.end());
                Found::exactly(self.postings.range(&terms)?)
            }
            Condition::ClientIp(range) => Found::perhaps(match term::range_around(*range) {
                Some(range) => self.value(Field::Address, &range)?,
                None => Rows::all(),
            }),
            Condition::From(moment) => {
                self.when(|segment| segment.latest >= moment.instant(self.now).as_micros())
            }
            Condition::To(moment) => {
                self.when(|segment| segment.earliest < moment.instant(self.now).as_micros())
            }
            Condition::Size(_) | Condition::Duration(_) => Found::perhaps(Rows::all()),
            Condition::Path(pattern) => Found::perhaps(self.in_head(pattern)?),
            Condition::Header { name, text } => {
                let mut rows = self.value(Field::HeaderName, name.to_ascii_lowercase().as_bytes())?;
                if let Some(text) = text {
                    rows.intersect(&self.text(Hashed::Head, &folded(text.as_bytes()))?);
                }
                Found::perhaps(rows)
            }
            Condition::Pinned(true) | Condition::Tag(_) | Condition::Note(_) => {
                Found::perhaps(self.kept_in("delivery_marks")?)
            }
            Condition::Cause(_) => Found::perhaps(self.kept_in("delivery_causes")?),
            Condition::Pinned(false) => Found::perhaps(Rows::all()),
            Condition::Body(text) => Found::perhaps(self.text(Hashed::Body, &folded(text.as_bytes()))?),
            Condition::Anywhere(text) => {
                let needle = folded(text.as_bytes());
                let mut rows = self.text(Hashed::Body, &needle)?;
                rows.unite(&self.text(Hashed::Head, &needle)?);
                Found::perhaps(rows)
            }
        })
    }

    /// The rows of these deliveries.
    fn deliveries(&self, ids: &[DeliveryId]) -> rusqlite::Result<Rows> {
        let mut read = self.log.prepare_cached("SELECT seq FROM deliveries WHERE id = ?1")?;
        let mut found = Vec::new();
        for id in ids {
            found.extend(read.query_row([id.as_bytes()], |row| row.get::<_, i64>(0)).optional()?);
        }
        Ok(self.rows(found))
    }

    /// The rows that have an entry in `table`.
    fn kept_in(&self, table: &str) -> rusqlite::Result<Rows> {
        let mut read =
            self.log.prepare_cached(&format!("SELECT seq FROM {table} WHERE seq BETWEEN ?1 AND ?2"))?;
        let found = read.query_map([self.first(), self.last()], |row| row.get(0))?;
        Ok(self.rows(found.collect::<rusqlite::Result<Vec<i64>>>()?))
    }

    /// The rows of the segment at these log positions.
    fn rows(&self, positions: Vec<i64>) -> Rows {
        let mut rows = Rows::none();
        for seq in positions.into_iter().filter(|seq| (self.first()..=self.last()).contains(seq)) {
            rows.insert(u16::try_from(seq.saturating_sub(self.first())).unwrap_or(u16::MAX));
        }
        rows
    }

    fn first(&self) -> i64 {
        super::positions::first_of(self.number)
    }

    fn last(&self) -> i64 {
        self.first().saturating_add(super::positions::SEGMENT).saturating_sub(1)
    }

    fn term(&self, term: &[u8]) -> rusqlite::Result<Rows> {
        self.postings.term(term)
    }

    fn when(&self, may_match: impl FnOnce(&Segment) -> bool) -> Found {
        Found::perhaps(if may_match(&self.segment) { Rows::all() } else { Rows::none() })
    }

    fn pattern(&self, kind: Kind, pattern: &Pattern) -> rusqlite::Result<Found> {
        if let Some(text) = pattern.as_exact() {
            let (term, is_exact) = kind.value(text.as_bytes());
            return Ok(Found { rows: self.term(&term)?, is_exact });
        }
        let (first, is_exact) = kind.value(pattern.start().as_bytes());
        let mut last = first.clone();
        // This byte never occurs in UTF-8, so the bound is after every term with this prefix.
        last.push(0xff);
        let rows = self.postings.range(&(first..=last))?;
        Ok(Found { rows, is_exact: is_exact && pattern.is_prefix() })
    }

    /// The rows that contain every piece of `pattern` in their head or body.
    fn anywhere(&self, pattern: &Pattern) -> rusqlite::Result<Rows> {
        let mut rows = Rows::all();
        for needle in pattern.pieces().iter().map(|piece| folded(piece.as_bytes())) {
            let mut found = self.text(Hashed::Body, &needle)?;
            found.unite(&self.text(Hashed::Head, &needle)?);
            rows.intersect(&found);
        }
        Ok(rows)
    }

    /// The rows that contain every piece of `pattern` in their head.
    fn in_head(&self, pattern: &Pattern) -> rusqlite::Result<Rows> {
        let mut rows = Rows::all();
        for piece in pattern.pieces() {
            rows.intersect(&self.text(Hashed::Head, &folded(piece.as_bytes()))?);
        }
        Ok(rows)
    }

    /// The rows whose field matches `pattern`. These fields are also in the text of the head.
    fn field(&self, field: Field, pattern: &Pattern) -> rusqlite::Result<Rows> {
        match pattern.as_exact() {
            Some(text) => self.value(field, text.as_bytes()),
            None => self.in_head(pattern),
        }
    }

    /// The rows that have this value in `field`.
    fn value(&self, field: Field, value: &[u8]) -> rusqlite::Result<Rows> {
        self.slices(field.slices(value.iter().copied()).collect())
    }

    /// The rows that contain every trigram of `needle`.
    fn text(&self, hashed: Hashed, needle: &[u8]) -> rusqlite::Result<Rows> {
        hashed.needle(needle).map_or_else(|| Ok(Rows::all()), |slices| self.slices(slices))
    }

    /// The rows that have all of these slices.
    fn slices(&self, mut slices: Vec<u16>) -> rusqlite::Result<Rows> {
        let mut rows = Rows::all();
        let mut seen = self.seen.borrow_mut();
        slices.sort_by_key(|slice| seen.get(slice).copied().unwrap_or_default());
        for slice in slices {
            let found = self.postings.slice(slice)?;
            seen.insert(slice, found.count());
            rows.intersect(&found);
            if rows.is_empty() {
                break;
            }
        }
        Ok(rows)
    }
}
