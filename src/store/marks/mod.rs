//! What every store promises about pins, notes and tags.

pub mod postgres;
pub mod sqlite;

use crate::domain::{DeliveryId, Marks, MarksChange};
use async_trait::async_trait;

use crate::store::StoreError;

/// The most pins: more would leave no room for new deliveries.
const MOST_PINS: i64 = 1_000;

/// The result of a change of marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// The marks as they are now.
    Done(Marks),
    /// The delivery does not exist.
    NoDelivery,
    /// There are already a thousand pins, or the pinned deliveries use all the room that pins may have.
    TooManyPins,
}

/// Pins, notes and tags of deliveries.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Marking: Send + Sync {
    /// Changes the marks of a delivery.
    /// Neither age limits nor size budgets remove a pinned delivery. All pinned deliveries together use at most `room`
    /// bytes, so retention can always make room for new ones.
    async fn mark(&self, id: DeliveryId, change: MarksChange, room: u64) -> Result<Marked, StoreError>;
}
