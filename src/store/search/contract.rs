//! What every engine does: see `Search`.

use std::time::Duration;

use async_trait::async_trait;

use super::types::{Matches, SearchPage, Tail};
use crate::domain::{DeliveryFilter, DeliveryRow, Verdict};
use crate::store::StoreError;

/// The longest time for one search.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Search in the log.
///
/// Every method fails with `Unavailable` if the store cannot be read, and with `TooLong` if a search takes too long.
#[async_trait]
pub trait Search: Send + Sync {
    /// Builds the search index in the background until the store is closed. Without the index, search reads the log.
    ///
    /// # Errors
    /// `Unavailable` if no thread can be started.
    fn start_indexing(&self) -> Result<(), StoreError>;

    /// Rows that match, newest first, before the position `before`; at most `limit`, and those that are found within about
    /// `budget`. Every call reads some rows, however small the budget.
    async fn page(
        &self,
        filter: &DeliveryFilter,
        before: Option<i64>,
        limit: usize,
        budget: Duration,
    ) -> Result<SearchPage, StoreError>;

    /// Rows that match, newest first, before the position `before`; at most `limit`, and all of them if there are fewer.
    async fn list(
        &self,
        filter: &DeliveryFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let page = self.page(filter, before, limit, DEADLINE).await?;
        match page.stopped {
            None => Ok(page.rows),
            Some(_) => Err(StoreError::TooLong(DEADLINE.as_secs())),
        }
    }

    /// Rows that match after the position `after`, oldest first; at most `limit`.
    async fn since(&self, filter: &DeliveryFilter, after: i64, limit: usize) -> Result<Tail, StoreError>;

    /// The deliveries from `source` that carried the event `event_id`, newest first; at most `limit`.
    async fn of_event(
        &self,
        source: &str,
        event_id: &str,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let (source, event_id) = (Some(source.to_owned()), Some(event_id.to_owned()));
        self.list(&DeliveryFilter { source, event_id, ..DeliveryFilter::default() }, None, limit).await
    }

    /// The number of stored deliveries, of one verdict or of all. It is cheap, however many there are.
    async fn total(&self, verdict: Option<Verdict>) -> Result<u64, StoreError>;

    /// The newest deliveries that match: at most `most` of them, and as many as are found within `budget`.
    async fn matches(
        &self,
        filter: &DeliveryFilter,
        most: usize,
        budget: Duration,
    ) -> Result<Matches, StoreError>;
}
