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
    /// A thousand deliveries are pinned already.
    TooManyPins,
}

impl Store {
    /// Changes the marks of a delivery. A pinned one is kept whatever its age, and whatever the budgets say.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn mark(&self, id: DeliveryId, change: MarksChange) -> Result<Marked, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(true, move |to| marks::mark(to, id, change)).await,
        }
    }
}
