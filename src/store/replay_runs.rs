//! What every store promises about replay runs: a plan that outlives the program, and its progress.

use crate::domain::{DeliveryId, Replay, ReplayId, ReplayRun, RunState, RunStep, Timestamp};
use crate::store::sqlite::replay_runs;
use crate::store::{Store, StoreError};

/// The most plan entries written or removed at once, to limit how long deliveries wait.
const STEP: usize = 1_000;

impl Store {
    /// Stores a run with its plan: the deliveries, in sending order.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn add_run(&self, run: ReplayRun, plan: &[DeliveryId]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let mut place = 0_u32;
                for step in plan.chunks(STEP) {
                    let (id, step) = (run.id, step.to_vec());
                    let from = place;
                    place = place.saturating_add(u32::try_from(step.len()).unwrap_or(u32::MAX));
                    sqlite.write(true, move |to| replay_runs::plan(to, id, from, &step)).await?;
                }
                sqlite.write(true, move |to| replay_runs::add(to, &run)).await
            }
        }
    }

    /// Removes plans whose run was never stored or has been removed. Call this before any run is added.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn forget_plans(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                while sqlite.write(false, |to| replay_runs::forget_plans(to, STEP)).await? > 0 {}
                Ok(())
            }
        }
    }

    /// The deliveries of a run that are still to be sent, by place, after the place `after`; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn next_of_run(
        &self,
        run: ReplayId,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Vec<(u32, DeliveryId)>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| replay_runs::next(from, run, after, limit)).await,
        }
    }

    /// Stores the result of one place of a run and removes the place from the plan.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn settle_run(
        &self,
        place: (ReplayId, u32),
        step: RunStep,
        replay: Option<Replay>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(true, move |to| replay_runs::settle(to, place, step, replay.as_ref(), now)).await
            }
        }
    }

    /// Moves a run from one state to another, with a reason; `false` if the run was not in the first state.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn turn_run(
        &self,
        run: ReplayId,
        from: RunState,
        to: RunState,
        why: Option<String>,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(false, move |with| replay_runs::turn(with, run, from, to, why.as_deref())).await
            }
        }
    }

    /// The newest runs, before the id `before`; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn runs(&self, before: Option<ReplayId>, limit: usize) -> Result<Vec<ReplayRun>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| replay_runs::list(from, before, limit)).await,
        }
    }

    /// The run with this id.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn run(&self, id: ReplayId) -> Result<Option<ReplayRun>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| replay_runs::one(from, id)).await,
        }
    }

    /// The runs that are still running.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn running_runs(&self) -> Result<Vec<ReplayRun>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(replay_runs::running).await,
        }
    }
}
