//! How many deliveries there are, and when those that match were received: what counts and histograms are made of.

use std::time::Duration;

use crate::domain::{DeliveryFilter, Reason, Timestamp, Verdict};
use crate::store::sqlite::{minutes, query};
use crate::store::{Store, StoreError};

/// When deliveries that match were received, and what became of them; the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// Each of them.
    pub seen: Vec<(Timestamp, Verdict)>,
    /// Whether there are no more.
    pub is_all: bool,
}

/// How many deliveries to one source became the same within a few minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotCount {
    /// Which stretch of minutes, counted from the first.
    pub slot: i64,
    /// The source; `unknown` for all that are none.
    pub source: String,
    /// What became of them.
    pub verdict: Verdict,
    /// Why they were refused.
    pub reason: Option<Reason>,
    /// How many.
    pub count: u64,
}

impl Store {
    /// How many deliveries are stored, or how many of one verdict. It costs nothing, however many there are.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn total(&self, verdict: Option<Verdict>) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| query::total(from, verdict)).await,
        }
    }

    /// The newest deliveries that match: at most `most` of them, and as many as are found within `budget`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn matches(
        &self,
        filter: &DeliveryFilter,
        most: usize,
        budget: Duration,
    ) -> Result<Matches, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.matches(filter.clone(), most, budget).await,
        }
    }

    /// What was counted from the minute `first` to before the minute `end`, in stretches of `step` minutes.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn slot_counts(&self, first: i64, end: i64, step: i64) -> Result<Vec<SlotCount>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| minutes::counts(from, first, end, step)).await,
        }
    }
}
