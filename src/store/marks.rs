//! What every store promises about pins, notes and tags.

use crate::domain::{DeliveryId, Marks, MarksChange};
use crate::store::sqlite::marks;
use crate::store::{Store, StoreError};

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

impl Store {
    /// Changes the marks of a delivery.
    /// Neither age limits nor size budgets remove a pinned delivery. All pinned deliveries together use at most `room`
    /// bytes, so retention can always make room for new ones.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn mark(&self, id: DeliveryId, change: MarksChange, room: u64) -> Result<Marked, StoreError> {
        // Unpinning frees room, so a full store must accept it.
        let takes_room = change.is_pinned != Some(false);
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(takes_room, move |to| marks::mark(to, id, change, room)).await
            }
        }
    }
}
