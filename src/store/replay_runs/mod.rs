//! What every store promises about replay runs: a plan that outlives the program, and its progress.

pub mod postgres;
pub mod sqlite;
pub mod statements;

use crate::domain::{DeliveryId, Replay, ReplayId, ReplayRun, RunState, RunStep, Timestamp};
use async_trait::async_trait;

use crate::store::StoreError;

/// The most runs stored; the oldest finished runs are removed first.
const KEPT: usize = 200;
/// The most plan entries written or removed at once, to limit how long deliveries wait.
const STEP: usize = 1_000;

/// Replay runs: a plan that outlives the program, and its progress.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait ReplayRuns: Send + Sync {
    /// Stores a run with its plan: the deliveries, in sending order.
    async fn add_run(&self, run: ReplayRun, plan: &[DeliveryId]) -> Result<(), StoreError>;

    /// Removes plans whose run was never stored or has been removed. Call this before any run is added.
    async fn forget_plans(&self) -> Result<(), StoreError>;

    /// The deliveries of a run that are still to be sent, by place, after the place `after`; at most `limit`.
    async fn next_of_run(
        &self,
        run: ReplayId,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Vec<(u32, DeliveryId)>, StoreError>;

    /// Stores the result of one place of a run and removes the place from the plan.
    async fn settle_run(
        &self,
        place: (ReplayId, u32),
        step: RunStep,
        replay: Option<Replay>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Moves a run from one state to another, with a reason; `false` if the run was not in the first state.
    async fn turn_run(
        &self,
        run: ReplayId,
        from: RunState,
        to: RunState,
        why: Option<String>,
    ) -> Result<bool, StoreError>;

    /// The newest runs, before the id `before`; at most `limit`.
    async fn runs(&self, before: Option<ReplayId>, limit: usize) -> Result<Vec<ReplayRun>, StoreError>;

    /// The run with this id.
    async fn run(&self, id: ReplayId) -> Result<Option<ReplayRun>, StoreError>;

    /// The runs that are still running.
    async fn running_runs(&self) -> Result<Vec<ReplayRun>, StoreError>;
}
