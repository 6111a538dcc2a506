//! The log of deliveries, with the event ids that they claim.

pub mod encoding;
pub mod postgres;
pub mod prepared;
pub mod queue;
pub mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use super::StoreError;
use crate::domain::{Appended, DeliveryId, DeliveryRow, Entry, Headers, Reason, StoredDelivery};

/// The response time of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its source.
    pub source: String,
    /// Microseconds until the response.
    pub duration_us: u64,
    /// The rejection reason.
    pub reason: Option<Reason>,
}

/// A delivery that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The result of its claim.
    pub appended: Appended,
    /// Its position in the log.
    pub seq: i64,
    /// The time that it took, as its row says.
    pub took: Duration,
}

/// A delivery as those who follow the log read it: its list row, with headers and body.
#[derive(Clone, Debug)]
pub struct LoggedDelivery {
    /// Its row.
    pub row: DeliveryRow,
    /// Its header lines, credentials masked.
    pub headers: Headers,
    /// The wire body.
    pub body: Bytes,
}

/// The log: every delivery, and the event ids that decide which of them are new.
///
/// Every method fails with `Unavailable` if the store cannot be read or written.
#[async_trait]
pub trait Log: Send + Sync {
    /// Appends a delivery; returns once it is durable. Of equal claims at the same moment, exactly one is `New`.
    ///
    /// # Errors
    /// `Full` at once when the queue is full; `Unavailable` when the delivery could not be written. It is then not
    /// stored.
    async fn append(&self, entry: Entry) -> Result<Written, StoreError>;

    /// Everything stored about a delivery.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<StoredDelivery>, StoreError>;

    /// The response times of the newest deliveries, at most `last` of them.
    async fn answered_lately(&self, last: usize) -> Result<Vec<Answered>, StoreError>;

    /// Records that the client of the delivery at position `seq` disconnected before our response.
    /// `after` is the time since the request's head.
    async fn hung_up(&self, seq: i64, after: Duration) -> Result<(), StoreError>;

    /// The position of the last commit; callers can wait for it to change.
    fn newest(&self) -> watch::Receiver<i64>;

    /// Makes `newest` at least `position` if the log is final up to there: another node may have shown it already.
    async fn catch_up(&self, _position: i64) -> Result<(), StoreError> {
        Ok(())
    }

    /// How often the log ended before what was seen of it: a standby without its end took over. Whoever remembers how far
    /// it came, and what it wrote about that, reads it from the store again. Read this number before that.
    fn turns(&self) -> u64 {
        0
    }

    /// The highest position ever removed. A cursor below it may have a gap.
    fn pruned_through(&self) -> i64;
}
