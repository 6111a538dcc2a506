//! What every store promises about the counts of each minute. They are kept for eight days.

use crate::domain::{Reason, Verdict};
use crate::store::sqlite::minutes;
use crate::store::{Store, StoreError};
use crate::telemetry::Counted;

/// What came in within a minute to one source and became the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minute {
    /// Minutes since 1970, UTC.
    pub minute: i64,
    /// The source; `unknown` for all that are none.
    pub source: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it was refused.
    pub reason: Option<Reason>,
    /// How many, and how long they took.
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
