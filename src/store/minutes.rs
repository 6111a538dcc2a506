//! What every store promises about the counts of each minute. They are kept for eight days.

use crate::domain::{Reason, Verdict};
use crate::store::sqlite::minutes;
use crate::store::{Store, StoreError};
use crate::telemetry::Counted;

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

impl Store {
    /// Adds counts to those of their minutes.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn add_minutes(&self, counted: Vec<Minute>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(true, move |to| minutes::add(to, &counted)).await,
        }
    }

    /// The counts from the minute `first` to before the minute `end`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn minutes(&self, first: i64, end: i64) -> Result<Vec<Minute>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| minutes::between(from, first, end)).await,
        }
    }
}
