//! Runs of replays in SQLite.

use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::statements::{COLUMNS, COUNT, FORGET_RUNS, NEXT, TAKE, TURN, bound, in_state, newest_before};
use super::{KEPT, STEP, statements};
use crate::domain::{DeliveryId, Replay, ReplayId, ReplayRun, ReplaySignature, RunState, RunStep, Timestamp};
use crate::store::replays::sqlite as replays;
use crate::store::sqlite::fields::unreadable;
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{ReplayRuns, StoreError};

#[async_trait]
impl ReplayRuns for Sqlite {
    async fn add_run(&self, run: ReplayRun, plan: &[DeliveryId]) -> Result<(), StoreError> {
        let mut place = 0_u32;
        for step in plan.chunks(STEP) {
            let (id, step) = (run.id, step.to_vec());
            let from = place;
            place = place.saturating_add(u32::try_from(step.len()).unwrap_or(u32::MAX));
            self.add(move |to| self::plan(to, id, from, &step)).await?;
        }
        self.add(move |to| add(to, &run)).await
    }

    async fn forget_plans(&self) -> Result<(), StoreError> {
        while self.change(|to| forget_plans(to, STEP)).await? > 0 {}
        Ok(())
    }

    async fn next_of_run(
        &self,
        run: ReplayId,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Vec<(u32, DeliveryId)>, StoreError> {
        self.read(move |from| next(from, run, after, limit)).await
    }

    async fn settle_run(
        &self,
        place: (ReplayId, u32),
        step: RunStep,
        replay: Option<Replay>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.add(move |to| settle(to, place, step, replay.as_ref(), now)).await
    }

    async fn turn_run(
        &self,
        run: ReplayId,
        from: RunState,
        to: RunState,
        why: Option<String>,
    ) -> Result<bool, StoreError> {
        self.change(move |with| turn(with, run, from, to, why.as_deref())).await
    }

    async fn runs(&self, before: Option<ReplayId>, limit: usize) -> Result<Vec<ReplayRun>, StoreError> {
        self.read(move |from| list(from, before, limit)).await
    }

    async fn run(&self, id: ReplayId) -> Result<Option<ReplayRun>, StoreError> {
        self.read(move |from| one(from, id)).await
    }

    async fn running_runs(&self) -> Result<Vec<ReplayRun>, StoreError> {
        self.read(running).await
    }
}

/// Writes a part of a plan, starting at `place`.
pub fn plan(
    connection: &Connection,
    run: ReplayId,
    place: u32,
    deliveries: &[DeliveryId],
) -> rusqlite::Result<()> {
    let mut insert =
        connection.prepare_cached("INSERT INTO replay_plan (run, place, delivery) VALUES (?1, ?2, ?3)")?;
    for (place, delivery) in (place..).zip(deliveries) {
        insert.execute(params![run.as_bytes(), place, delivery.as_bytes()])?;
    }
    Ok(())
}

/// Stores a run whose plan is already written. Removes old runs.
pub fn add(connection: &Connection, run: &ReplayRun) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!(
            r"
            INSERT INTO replay_runs ({COLUMNS})
            VALUES (
                :id, :filter, :target, :signature, :is_newest_first, :per_second, :concurrency, :stops_on_error,
                :state, :why, :total, :done, :failed, :gone
            )
            "
        ))?
        .execute(named_params! {
            ":id": run.id.as_bytes(),
            ":filter": run.filter,
            ":target": run.target,
            ":signature": run.signature.as_str(),
            ":is_newest_first": run.is_newest_first,
            ":per_second": run.per_second,
            ":concurrency": run.concurrency,
            ":stops_on_error": run.stops_on_error,
            ":state": run.state.as_str(),
            ":why": run.why,
            ":total": run.total,
            ":done": run.done,
            ":failed": run.failed,
            ":gone": run.gone,
        })?;
    connection.prepare_cached(FORGET_RUNS)?.execute(params![RunState::Running.as_str(), whole(KEPT)])?;
    Ok(())
}

/// Removes at most `limit` plan entries whose run does not exist; returns their number.
pub fn forget_plans(connection: &Connection, limit: usize) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            r"
            DELETE FROM replay_plan
            WHERE (run, place) IN (
                SELECT run, place
                FROM replay_plan
                WHERE run NOT IN (SELECT id FROM replay_runs)
                LIMIT ?1
            )
            ",
        )?
        .execute([whole(limit)])
}

/// The next entries of a run's plan, after `place`.
pub fn next(
    connection: &Connection,
    run: ReplayId,
    after: Option<u32>,
    limit: usize,
) -> rusqlite::Result<Vec<(u32, DeliveryId)>> {
    let first = after.map_or(0, |place| place.saturating_add(1));
    connection
        .prepare_cached(NEXT)?
        .query_map(params![run.as_bytes(), first, whole(limit)], |row| {
            Ok((row.get("place")?, DeliveryId::from_bytes(row.get("delivery")?)))
        })?
        .collect()
}

/// Removes a place from the plan and stores its result.
pub fn settle(
    connection: &Connection,
    (run, place): (ReplayId, u32),
    step: RunStep,
    replay: Option<&Replay>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let taken = connection.prepare_cached(TAKE)?.execute(params![run.as_bytes(), place])?;
    connection.prepare_cached(COUNT)?.execute(params![
        whole(taken),
        step == RunStep::Failed,
        step == RunStep::Gone,
        run.as_bytes()
    ])?;
    match replay {
        Some(replay) => replays::add(connection, replay, now),
        None => Ok(()),
    }
}

/// Moves a run from one state to another; `false` if it is not in the first state.
pub fn turn(
    connection: &Connection,
    run: ReplayId,
    from: RunState,
    to: RunState,
    why: Option<&str>,
) -> rusqlite::Result<bool> {
    let turned =
        connection.prepare_cached(TURN)?.execute(params![to.as_str(), why, run.as_bytes(), from.as_str()])?;
    Ok(turned > 0)
}

/// The newest runs, before the id `before`.
pub fn list(
    connection: &Connection,
    before: Option<ReplayId>,
    limit: usize,
) -> rusqlite::Result<Vec<ReplayRun>> {
    connection
        .prepare_cached(&newest_before())?
        .query_map(params![bound(before), whole(limit)], run)?
        .collect()
}

/// The run with this id.
pub fn one(connection: &Connection, id: ReplayId) -> rusqlite::Result<Option<ReplayRun>> {
    connection.prepare_cached(&statements::one())?.query_row([id.as_bytes()], run).optional()
}

/// The runs that are still running.
pub fn running(connection: &Connection) -> rusqlite::Result<Vec<ReplayRun>> {
    connection.prepare_cached(&in_state())?.query_map([RunState::Running.as_str()], run)?.collect()
}

fn run(row: &Row<'_>) -> rusqlite::Result<ReplayRun> {
    let signature = ReplaySignature::from_word(row.get_ref("signature")?.as_str()?);
    let state = RunState::from_word(row.get_ref("state")?.as_str()?);
    Ok(ReplayRun {
        id: ReplayId::from_bytes(row.get("id")?),
        filter: row.get("filter")?,
        target: row.get("target")?,
        signature: signature.ok_or_else(|| unreadable(row, "signature", Type::Text))?,
        is_newest_first: row.get("is_newest_first")?,
        per_second: row.get("per_second")?,
        concurrency: row.get("concurrency")?,
        stops_on_error: row.get("stops_on_error")?,
        state: state.ok_or_else(|| unreadable(row, "state", Type::Text))?,
        why: row.get("why")?,
        total: row.get("total")?,
        done: row.get("done")?,
        failed: row.get("failed")?,
        gone: row.get("gone")?,
    })
}
