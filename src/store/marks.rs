//! What every store promises about pins, notes and tags.

use crate::domain::{DeliveryId, Marks, MarksChange};
use crate::store::sqlite::marks;
use crate::store::{Store, StoreError};

/// What became of a change of marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// The marks as they are now.
    Done(Marks),
    /// There is no such delivery.
    NoDelivery,
    /// A thousand deliveries are pinned already, or those that are take all the room that pins may have.
    TooManyPins,
}

impl Store {
    /// Changes the marks of a delivery. A pinned one is kept whatever its age, and whatever the budgets say; pinned ones together
    /// have at most `room` bytes, so that there is always something that can make place for what comes.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn mark(&self, id: DeliveryId, change: MarksChange, room: u64) -> Result<Marked, StoreError> {
        // What is full is emptied by unpinning.
        let takes_room = change.is_pinned != Some(false);
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(takes_room, move |to| marks::mark(to, id, change, room)).await
            }
        }
    }
}
