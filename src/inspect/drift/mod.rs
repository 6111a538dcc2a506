//! What payloads really look like, and how that departs from what they were, or should be.

mod compare;
mod expected;
mod infer;
mod maps;
mod reports;
mod shape;
mod variable;

pub use compare::{FieldReport, Finding, FindingKind, Report};
pub use infer::infer;
pub use reports::{ReportQuery, reports};
pub use shape::{Shape, learnt_fields};

/// So many deliveries of an event type are read field by field before it counts as well known.
pub const WHOLE: u64 = 1_000;
/// From then on one of so many is.
pub const ONE_IN: u64 = 20;
/// An event type of so many fields counts as well known sooner: reading it costs more.
const WIDE: u64 = 300;
const WHOLE_WIDE: u64 = 20;

/// So many deliveries of an event type with that many fields are read field by field before one in `ONE_IN` is.
#[must_use]
pub const fn whole(fields: u64) -> u64 {
    if fields < WIDE { WHOLE } else { WHOLE_WIDE }
}

/// Whether the delivery of that number, counted from 1, is read field by field.
#[must_use]
pub const fn is_sample(number: u64, fields: u64) -> bool {
    number <= whole(fields) || number.is_multiple_of(ONE_IN)
}
