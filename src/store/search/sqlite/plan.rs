//! What a query looks up in each segment.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension as _};

use super::term::{self, Field, Hashed, Kind};
use crate::domain::{Condition, DeliveryId, Pattern, Query, Timestamp, Verdict};
use crate::store::search::text::folded;

/// The rows that a query looks for.
pub enum Plan {
    /// Rows that have all of these slices; others may have them too.
    Slices(Slices),
    /// Rows that have a term, and whether only that term can be meant.
    Term(Vec<u8>, bool),
    /// Rows that have any term in a range, and whether these stand for nothing else.
    Range(RangeInclusive<Vec<u8>>, bool),
    /// The rows at these positions.
    Positions(Vec<i64>),
    /// Rows that have an entry in this table of the log.
    KeptIn(&'static str),
    /// Rows received at this time or later, in microseconds UTC.
    From(i64),
    /// Rows received before this time.
    To(i64),
    /// Any row: nothing is known about these.
    Unknown,
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// Slices, and in how many rows each was when it was counted last. The rarest are looked up first, which often makes the others
/// unnecessary.
pub struct Slices(pub RefCell<Vec<(Option<u32>, u16)>>);

impl Slices {
    fn of(slices: impl IntoIterator<Item = u16>) -> Plan {
        Plan::Slices(Self(RefCell::new(slices.into_iter().map(|slice| (None, slice)).collect())))
    }
}

impl Plan {
    /// The plan of `query`, asked at `now` of the log.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn of(query: &Query, log: &Connection, now: Timestamp) -> rusqlite::Result<Self> {
        let each = |queries: &[Query]| {
            queries.iter().map(|query| Self::of(query, log, now)).collect::<rusqlite::Result<Vec<_>>>()
        };
        Ok(match query {
            Query::Is(condition) => condition_plan(condition, log, now)?,
            Query::Not(inner) => Self::Not(Box::new(Self::of(inner, log, now)?)),
            Query::All(all) => Self::all(each(all)?),
            Query::Any(any) => Self::Any(each(any)?),
        })
    }

    /// All of them, those first that cost least.
    fn all(mut plans: Vec<Self>) -> Self {
        plans.sort_by_key(Self::cost);
        Self::All(plans)
    }

    /// How much it costs, compared with others.
    fn cost(&self) -> usize {
        match self {
            Self::From(_) | Self::To(_) | Self::Positions(_) | Self::Unknown => 0,
            Self::Term(..) => 1,
            Self::Range(..) => 2,
            Self::KeptIn(_) => 3,
            Self::Slices(_) => 4,
            Self::Not(inner) => inner.cost(),
            Self::All(plans) | Self::Any(plans) => plans.iter().map(Self::cost).max().unwrap_or(0),
        }
    }

    /// Rows that contain every trigram of `needle`.
    fn text(hashed: Hashed, needle: &[u8]) -> Self {
        hashed.needle(needle).map_or(Self::Unknown, Slices::of)
    }

    /// Rows that contain `needle` in their head or body.
    fn everywhere(needle: &[u8]) -> Self {
        Self::Any(vec![Self::text(Hashed::Body, needle), Self::text(Hashed::Head, needle)])
    }

    /// Rows that contain every piece of `pattern`, and perhaps match it.
    fn pieces(pattern: &Pattern, of: impl Fn(&[u8]) -> Self) -> Self {
        let pieces = pattern.pieces().iter().map(|piece| of(&folded(piece.as_bytes())));
        Self::All([Self::Unknown].into_iter().chain(pieces).collect())
    }

    /// Rows whose field matches `pattern`. These fields are also in the text of the head.
    fn field(field: Field, pattern: &Pattern) -> Self {
        match pattern.as_exact() {
            Some(text) => Slices::of(field.slices(text.bytes())),
            None => Self::pieces(pattern, |piece| Self::text(Hashed::Head, piece)),
        }
    }

    fn pattern(kind: Kind, pattern: &Pattern) -> Self {
        if let Some(text) = pattern.as_exact() {
            let (term, is_exact) = kind.value(text.as_bytes());
            return Self::Term(term, is_exact);
        }
        let (first, is_exact) = kind.value(pattern.start().as_bytes());
        let mut last = first.clone();
        // This byte never occurs in UTF-8, so the bound is after every term with this prefix.
        last.push(0xff);
        Self::Range(first..=last, is_exact && pattern.is_prefix())
    }
}

fn condition_plan(condition: &Condition, log: &Connection, now: Timestamp) -> rusqlite::Result<Plan> {
    Ok(match condition {
        Condition::Delivery(ids) => Plan::Positions(positions(log, ids)?),
        Condition::Source(pattern) => Plan::pattern(Kind::Source, pattern),
        Condition::EventType(pattern) => Plan::pattern(Kind::EventType, pattern),
        Condition::EventId(pattern) => Plan::field(Field::EventId, pattern),
        Condition::Entity(pattern) => Plan::field(Field::Entity, pattern),
        Condition::UnverifiedId(pattern) | Condition::UnverifiedDevice(pattern) => {
            let rejected = Plan::Term(term::verdict(Verdict::Rejected), true);
            Plan::all(vec![rejected, Plan::pieces(pattern, Plan::everywhere)])
        }
        Condition::User(pattern) => Plan::pieces(pattern, Plan::everywhere),
        Condition::Method(pattern) => Plan::pattern(Kind::Method, pattern),
        Condition::Verdict(verdict) => Plan::Term(term::verdict(*verdict), true),
        Condition::Reason(reason) => Plan::Term(term::reason(*reason), true),
        Condition::Status(range) => {
            Plan::Range(term::status(*range.start())..=term::status(*range.end()), true)
        }
        Condition::ClientIp(range) => {
            term::range_around(*range).map_or(Plan::Unknown, |range| Slices::of(Field::Address.slices(range)))
        }
        Condition::From(moment) => Plan::From(moment.instant(now).as_micros()),
        Condition::To(moment) => Plan::To(moment.instant(now).as_micros()),
        Condition::Path(pattern) => Plan::pieces(pattern, |piece| Plan::text(Hashed::Head, piece)),
        Condition::Header { name, text } => {
            let name = Slices::of(Field::HeaderName.slices(name.to_ascii_lowercase().into_bytes()));
            let text = text.as_deref().map(|text| Plan::text(Hashed::Head, &folded(text.as_bytes())));
            Plan::All([name].into_iter().chain(text).collect())
        }
        Condition::Pinned(true) | Condition::Tag(_) | Condition::Note(_) => Plan::KeptIn("delivery_marks"),
        Condition::Cause(_) => Plan::KeptIn("delivery_causes"),
        Condition::Pinned(false) | Condition::Size(_) | Condition::Duration(_) => Plan::Unknown,
        Condition::Body(text) => Plan::text(Hashed::Body, &folded(text.as_bytes())),
        Condition::Anywhere(text) => Plan::everywhere(&folded(text.as_bytes())),
    })
}

/// The positions of these deliveries.
fn positions(log: &Connection, ids: &[DeliveryId]) -> rusqlite::Result<Vec<i64>> {
    let mut read = log.prepare_cached("SELECT seq FROM deliveries WHERE id = ?1")?;
    let mut found = Vec::new();
    for id in ids {
        found.extend(read.query_row([id.as_bytes()], |row| row.get::<_, i64>(0)).optional()?);
    }
    Ok(found)
}
