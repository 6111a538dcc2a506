//! What every store promises about the counts of each minute. They are kept for eight days.

pub mod postgres;
pub mod sqlite;

use crate::domain::{Reason, Verdict};
use async_trait::async_trait;

use crate::store::StoreError;
use crate::telemetry::Counted;

/// Minutes are kept for eight days.
const KEEP_MINUTES: i64 = 8 * 24 * 60;
/// The most expired rows removed at once.
const EXPIRED_STEP: i64 = 500;

/// The deliveries that one source received within a minute with the same result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minute {
    /// Minutes since 1970, UTC.
    pub minute: i64,
    /// The source; `unknown` for requests without a known source.
    pub source: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The rejection reason.
    pub reason: Option<Reason>,
    /// The number of deliveries and their response times.
    pub counted: Counted,
}

/// The number of deliveries to one source with the same result within a few minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotCount {
    /// The stretch of minutes, counted from the first.
    pub slot: i64,
    /// The source; `unknown` for requests without a known source.
    pub source: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The rejection reason.
    pub reason: Option<Reason>,
    /// The number of deliveries.
    pub count: u64,
}

/// Counts of each minute. They are kept for eight days.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Minutes: Send + Sync {
    /// Adds counts to those of their minutes.
    async fn add_minutes(&self, counted: Vec<Minute>) -> Result<(), StoreError>;

    /// The counts from the minute `first` to before the minute `end`.
    async fn minutes(&self, first: i64, end: i64) -> Result<Vec<Minute>, StoreError>;

    /// The counts from the minute `first` to before the minute `end`, in stretches of `step` minutes.
    async fn slot_counts(&self, first: i64, end: i64, step: i64) -> Result<Vec<SlotCount>, StoreError>;
}
