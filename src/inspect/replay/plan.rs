//! Which deliveries a run sends again, found before the first of them goes.

use std::time::Duration;

use crate::domain::{DeliveryFilter, DeliveryId};
use crate::store::{Store, StoreError};

/// The most deliveries of a run.
pub const MOST: usize = 100_000;
/// Rows read at once.
const PAGE: usize = 500;

/// The deliveries of a run in the order of sending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Their ids.
    pub deliveries: Vec<DeliveryId>,
    /// Whether the search finds more than are here.
    pub has_more: bool,
}

impl Plan {
    /// The newest deliveries that match, at most `limit` of them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn of(
        store: &Store,
        filter: &DeliveryFilter,
        limit: usize,
        is_newest_first: bool,
    ) -> Result<Self, StoreError> {
        let mut deliveries: Vec<DeliveryId> = Vec::new();
        let mut before = None;
        // One more than fits tells whether there are more.
        while deliveries.len() <= limit {
            let rows = store.list(filter, before, PAGE).await?;
            deliveries.extend(rows.iter().map(|row| row.id));
            match rows.last() {
                Some(oldest) if rows.len() == PAGE => before = Some(oldest.seq),
                _ => break,
            }
        }
        let has_more = deliveries.len() > limit;
        deliveries.truncate(limit);
        if !is_newest_first {
            deliveries.reverse();
        }
        Ok(Self { deliveries, has_more })
    }

    /// How long it takes at least, where it goes at a rate.
    #[must_use]
    pub fn lasts(&self, per_second: Option<f64>) -> Option<Duration> {
        let gaps = u32::try_from(self.deliveries.len().saturating_sub(1)).unwrap_or(u32::MAX);
        per_second.map(|rate| Duration::try_from_secs_f64(f64::from(gaps) / rate).unwrap_or(Duration::MAX))
    }
}
