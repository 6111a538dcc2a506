//! What every store promises about the causes of rejections and duplicates.

pub mod postgres;
pub mod sqlite;

use tokio::sync::watch;

use crate::domain::{Cause, DeliveryRow, Timestamp};
use async_trait::async_trait;

use crate::store::StoreError;

/// The most deliveries with the same cause that are counted.
const MOST_ALIKE: usize = 1_000;

/// Deliveries of one source that were rejected, or were duplicates, for the same cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    /// Their number, without the delivery that the caller asked about.
    pub count: usize,
    /// Whether `count` covers all of them.
    pub is_all: bool,
    /// When the oldest of them was received.
    pub since: Timestamp,
}

/// Why deliveries were rejected or were duplicates.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Causes: Send + Sync {
    /// Stores the causes of deliveries; each delivery is given by its position in the log.
    async fn name_causes(&self, found: Vec<(i64, Cause)>) -> Result<(), StoreError>;

    /// Reports that the causes of deliveries up to the position `through` are named, or will not be soon.
    fn causes_are_named(&self, through: i64);

    /// The position up to which causes are named, to wait on.
    #[must_use]
    fn named_through(&self) -> watch::Receiver<i64>;

    /// Other deliveries of the same source with the cause `code`; `None` if there are none.
    async fn alike(&self, row: &DeliveryRow, code: &str) -> Result<Option<Alike>, StoreError>;
}
