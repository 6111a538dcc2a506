//! Runs of replays in PostgreSQL.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::statements::{COLUMNS, COUNT, FORGET_RUNS, NEXT, TAKE, TURN, bound, in_state, newest_before, one};
use super::{KEPT, STEP};
use crate::domain::{DeliveryId, Replay, ReplayId, ReplayRun, ReplaySignature, RunState, RunStep, Timestamp};
use crate::store::postgres::{Postgres, Transaction, column, params, small, unreadable, whole};
use crate::store::replays::postgres as replays;
use crate::store::{ReplayRuns, StoreError};

#[async_trait]
impl ReplayRuns for Postgres {
    async fn add_run(&self, run: ReplayRun, plan: &[DeliveryId]) -> Result<(), StoreError> {
        // In one transaction: another node that starts removes plans without a run.
        let run = &run;
        self.add(|to| async move { add(&to, run, plan).await }).await
    }

    async fn forget_plans(&self) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let sql = r"
            DELETE FROM replay_plan
            WHERE (run, place) IN (
                SELECT run, place
                FROM replay_plan p
                WHERE NOT EXISTS (SELECT 1 FROM replay_runs r WHERE r.id = p.run)
                LIMIT $1
                FOR UPDATE SKIP LOCKED
            )
            ";
        while connection.run(sql, &params![whole(STEP)]).await? > 0 {}
        Ok(())
    }

    async fn next_of_run(
        &self,
        run: ReplayId,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Vec<(u32, DeliveryId)>, StoreError> {
        let first = after.map_or(0, |place| i64::from(place).saturating_add(1));
        let rows = self.connection().await?.rows(NEXT, &params![run.as_bytes(), first, whole(limit)]).await?;
        rows.iter()
            .map(|row| {
                let place = small(column(row, "place")?, "place")?;
                Ok((place, DeliveryId::from_bytes(column(row, "delivery")?)))
            })
            .collect()
    }

    async fn settle_run(
        &self,
        place: (ReplayId, u32),
        step: RunStep,
        replay: Option<Replay>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let replay = replay.as_ref();
        self.add(|to| async move { settle(&to, place, step, replay, now).await }).await
    }

    async fn turn_run(
        &self,
        run: ReplayId,
        from: RunState,
        to: RunState,
        why: Option<String>,
    ) -> Result<bool, StoreError> {
        let turned = self
            .connection()
            .await?
            .run(TURN, &params![to.as_str(), why, run.as_bytes(), from.as_str()])
            .await?;
        Ok(turned > 0)
    }

    async fn runs(&self, before: Option<ReplayId>, limit: usize) -> Result<Vec<ReplayRun>, StoreError> {
        let rows =
            self.connection().await?.rows(&newest_before(), &params![bound(before), whole(limit)]).await?;
        rows.iter().map(read).collect()
    }

    async fn run(&self, id: ReplayId) -> Result<Option<ReplayRun>, StoreError> {
        let row = self.connection().await?.maybe(&one(), &params![id.as_bytes()]).await?;
        row.as_ref().map(read).transpose()
    }

    async fn running_runs(&self) -> Result<Vec<ReplayRun>, StoreError> {
        let rows = self.connection().await?.rows(&in_state(), &params![RunState::Running.as_str()]).await?;
        rows.iter().map(read).collect()
    }
}

async fn add(to: &Transaction, run: &ReplayRun, plan: &[DeliveryId]) -> Result<(), StoreError> {
    let mut place = 0_i64;
    for step in plan.chunks(STEP) {
        let deliveries: Vec<&[u8]> = step.iter().map(|id| id.as_bytes().as_slice()).collect();
        to.run(
            r"
            INSERT INTO replay_plan (run, place, delivery)
            SELECT $1, $2 + place - 1, delivery
            FROM unnest($3) WITH ORDINALITY AS planned (delivery, place)
            ",
            &params![run.id.as_bytes(), place, deliveries],
        )
        .await?;
        place = place.saturating_add(whole(step.len()));
    }
    to.run(
        &format!(
            r"
            INSERT INTO replay_runs ({COLUMNS})
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            "
        ),
        &params![
            run.id.as_bytes(),
            run.filter,
            run.target,
            run.signature.as_str(),
            run.is_newest_first,
            run.per_second,
            i64::from(run.concurrency),
            run.stops_on_error,
            run.state.as_str(),
            run.why,
            i64::from(run.total),
            i64::from(run.done),
            i64::from(run.failed),
            i64::from(run.gone),
        ],
    )
    .await?;
    to.run(FORGET_RUNS, &params![RunState::Running.as_str(), whole(KEPT)]).await?;
    Ok(())
}

/// Removes a place from the plan and stores its result.
async fn settle(
    to: &Transaction,
    (run, place): (ReplayId, u32),
    step: RunStep,
    replay: Option<&Replay>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let taken = to.run(TAKE, &params![run.as_bytes(), i64::from(place)]).await?;
    to.run(
        COUNT,
        &params![
            i64::from(taken > 0),
            i64::from(step == RunStep::Failed),
            i64::from(step == RunStep::Gone),
            run.as_bytes(),
        ],
    )
    .await?;
    match replay {
        Some(replay) => replays::add(to, replay, now).await,
        None => Ok(()),
    }
}

fn read(row: &Row) -> Result<ReplayRun, StoreError> {
    let signature: String = column(row, "signature")?;
    let state: String = column(row, "state")?;
    let number = |name: &str| small(column(row, name)?, name);
    Ok(ReplayRun {
        id: ReplayId::from_bytes(column(row, "id")?),
        filter: column(row, "filter")?,
        target: column(row, "target")?,
        signature: ReplaySignature::from_word(&signature).ok_or_else(|| unreadable("signature"))?,
        is_newest_first: column(row, "is_newest_first")?,
        per_second: column(row, "per_second")?,
        concurrency: number("concurrency")?,
        stops_on_error: column(row, "stops_on_error")?,
        state: RunState::from_word(&state).ok_or_else(|| unreadable("state"))?,
        why: column(row, "why")?,
        total: number("total")?,
        done: number("done")?,
        failed: number("failed")?,
        gone: number("gone")?,
    })
}
