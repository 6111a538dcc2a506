//! What every store promises about replays. They are kept for thirty days.

use crate::domain::{DeliveryId, Replay, ReplayId, ReplaysAbout, Timestamp};
use crate::store::sqlite::replays;
use crate::store::{Store, StoreError};

impl Store {
    /// Stores a replay.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn add_replay(&self, replay: Replay, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(true, move |to| replays::add(to, &replay, now)).await,
        }
    }

    /// The newest replays, of one run or of all, before the id `before`; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn replays(
        &self,
        run: Option<ReplayId>,
        before: Option<ReplayId>,
        limit: usize,
    ) -> Result<Vec<Replay>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| replays::list(from, run, before, limit)).await,
        }
    }

    /// The replay with this id.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn replay(&self, id: ReplayId) -> Result<Option<Replay>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| replays::one(from, id)).await,
        }
    }

    /// The replays that sent a delivery, newest first and at most fifty, and the replay that the delivery came from.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn replays_about(&self, delivery: DeliveryId) -> Result<ReplaysAbout, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| replays::about(from, delivery)).await,
        }
    }
}
