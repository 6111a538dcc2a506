//! What a search finds.

use crate::domain::{DeliveryRow, Timestamp, Verdict};

/// The rows after a cursor, oldest first.
#[derive(Clone, Debug)]
pub struct Tail {
    /// The rows that match.
    pub rows: Vec<DeliveryRow>,
    /// The next cursor: every row up to this position was checked.
    pub through: i64,
}

/// A page of a search.
#[derive(Clone, Debug, Default)]
pub struct SearchPage {
    /// The rows that match.
    pub rows: Vec<DeliveryRow>,
    /// Where the search continues, if the time was over before the page was full and before the log ended.
    pub stopped: Option<Stopped>,
}

/// Where a search stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Everything at this position and after it was looked at.
    pub before: i64,
    /// When the delivery there was received.
    pub received_at: Timestamp,
}

/// When matching deliveries were received, and their verdicts; the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// Each of them.
    pub seen: Vec<(Timestamp, Verdict)>,
    /// Whether there are no more.
    pub is_all: bool,
}
