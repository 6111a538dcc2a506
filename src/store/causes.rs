//! What every store promises about the causes of rejections and duplicates.

use tokio::sync::watch;

use crate::domain::{Cause, DeliveryRow, Timestamp};
use crate::store::sqlite::causes;
use crate::store::{Store, StoreError};

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

impl Store {
    /// Stores the causes of deliveries; each delivery is given by its position in the log.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn name_causes(&self, found: Vec<(i64, Cause)>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| causes::name(to, &found)).await,
        }
    }

    /// Tells whoever waits that the causes of deliveries up to the position `through` are named, or will not be soon.
    pub fn causes_are_named(&self, through: i64) {
        match self {
            Self::Sqlite(sqlite) => sqlite.named().send_replace(through),
        };
    }

    /// The position up to which causes are named, to wait on.
    #[must_use]
    pub fn named_through(&self) -> watch::Receiver<i64> {
        match self {
            Self::Sqlite(sqlite) => sqlite.named().subscribe(),
        }
    }

    /// Other deliveries of the same source with the cause `code`; `None` if there are none.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn alike(&self, row: &DeliveryRow, code: &str) -> Result<Option<Alike>, StoreError> {
        let (seq, source, code) = (row.seq, row.source.clone(), code.to_owned());
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.read(move |from| causes::alike(from, seq, &source, &code, MOST_ALIKE)).await
            }
        }
    }
}
