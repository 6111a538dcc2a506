//! What payloads really look like, and how that departs from what they were, or should be.

mod compare;
mod expected;
mod infer;
mod reports;
mod shape;

pub use compare::{FieldReport, Finding, FindingKind, Report, share};
pub use infer::infer;
pub use reports::{ReportQuery, reports};
pub use shape::{Shape, learnt_fields};

/// So many samples of an event type are read before its fields count as known.
pub const WHOLE: u64 = 1_000;
/// From then on one of so many deliveries is read field by field.
pub const ONE_IN: u64 = 20;

/// Whether the delivery of that number, counted from 1, is read field by field.
#[must_use]
pub const fn is_sample(number: u64) -> bool {
    number <= WHOLE || number.is_multiple_of(ONE_IN)
}
