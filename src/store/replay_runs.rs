//! What every store promises about runs of replays: a plan that outlives the program, and what is through of it.

use crate::domain::{DeliveryId, Replay, ReplayId, ReplayRun, RunState, RunStep, Timestamp};
use crate::store::sqlite::replay_runs;
use crate::store::{Store, StoreError};

/// Places of a plan that are written, or forgotten, at once: deliveries do not wait for more.
const STEP: usize = 1_000;

impl Store {
    /// Keeps a run with its plan, the deliveries in the order of sending.
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

    /// Forgets plans whose run was never kept, or let go. To be asked before any run is added.
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

    /// What is still to be sent of a run, by its places, after the place `after`; at most `limit`.
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

    /// Keeps what became of one place of a run, and takes it off the plan.
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

    /// Puts a run from one state into another and says why; `false` where it was not in that one.
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

    /// The run of an id.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn run(&self, id: ReplayId) -> Result<Option<ReplayRun>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| replay_runs::one(from, id)).await,
        }
    }

    /// The runs that go on.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn running_runs(&self) -> Result<Vec<ReplayRun>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(replay_runs::running).await,
        }
    }
}
