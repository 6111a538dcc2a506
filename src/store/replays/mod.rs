//! What every store promises about replays. They are kept for thirty days.

pub mod postgres;
pub mod sqlite;

use std::time::Duration;

use crate::domain::{DeliveryId, Replay, ReplayId, ReplaysAbout, Timestamp};
use async_trait::async_trait;

use crate::store::StoreError;

/// How long a replay is kept.
const KEEP: Duration = Duration::from_secs(30 * 86_400);
/// The number of expired replays removed with each new one.
const STEP: usize = 10;
/// The most replays of one delivery that are shown.
const MOST: usize = 50;

/// Replays of deliveries. They are kept for thirty days.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait Replays: Send + Sync {
    /// Stores a replay.
    async fn add_replay(&self, replay: Replay, now: Timestamp) -> Result<(), StoreError>;

    /// The newest replays, of one run or of all, before the id `before`; at most `limit`.
    async fn replays(
        &self,
        run: Option<ReplayId>,
        before: Option<ReplayId>,
        limit: usize,
    ) -> Result<Vec<Replay>, StoreError>;

    /// The replay with this id.
    async fn replay(&self, id: ReplayId) -> Result<Option<Replay>, StoreError>;

    /// The replays that sent a delivery, newest first and at most fifty, and the replay that the delivery came from.
    async fn replays_about(&self, delivery: DeliveryId) -> Result<ReplaysAbout, StoreError>;
}
