//! How real payloads differ from earlier ones and from the catalogue.

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

/// The number of deliveries of an event type that are read in full before it counts as well known.
pub const WHOLE: u64 = 1_000;
/// After that, one in this many is.
pub const ONE_IN: u64 = 20;
/// An event type with this many fields counts as well known sooner, as reading it costs more.
const WIDE: u64 = 300;
const WHOLE_WIDE: u64 = 20;

/// The number of deliveries of an event type with that many fields that are read in full before only one in `ONE_IN` is.
#[must_use]
pub const fn whole(fields: u64) -> u64 {
    if fields < WIDE { WHOLE } else { WHOLE_WIDE }
}

/// Whether the delivery of that number, counted from 1, is read field by field.
#[must_use]
pub const fn is_sample(number: u64, fields: u64) -> bool {
    number <= whole(fields) || number.is_multiple_of(ONE_IN)
}
