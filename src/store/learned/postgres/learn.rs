//! Updates what is learnt from the log: the cursor and the learnt data change in one transaction.
//!
//! Each node may have a learner. They take turns at the lock on the cursor, and what a learner wrote is refused if it was
//! read before another one wrote.

use std::sync::LazyLock;

use async_trait::async_trait;

use super::columns::{number, time};
use super::facts::{add, lock, set};
use super::{drift, entities};
use crate::domain::{Reason, Timestamp};
use crate::store::numbers::{ACCEPTED, REJECTED};
use crate::store::postgres::{Postgres, Transaction, column, count};
use crate::store::{LearnerState, Learning, Learnt, LogSection, StoreError};

/// The condition of what the learner reads: deliveries that were accepted or failed schema validation.
static HAS_PAYLOAD: LazyLock<String> = LazyLock::new(|| {
    let (invalid, unknown) = (Reason::InvalidPayload.as_str(), Reason::UnknownEvent.as_str());
    format!(
        r"
        d.verdict = {ACCEPTED}
        OR (d.verdict = {REJECTED} AND d.reason IN ('{invalid}', '{unknown}'))
        "
    )
});

#[async_trait]
impl Learning for Postgres {
    async fn learner_state(&self) -> Result<LearnerState, StoreError> {
        let row = self
            .connection()
            .await?
            .one(
                r"
                SELECT
                    max(value) FILTER (WHERE name = 'lens_cursor') AS cursor,
                    max(value) FILTER (WHERE name = 'lens_since') AS since,
                    max(value) FILTER (WHERE name = 'lens_heard_at') AS heard_at,
                    max(value) FILTER (WHERE name = 'entities') AS entities,
                    max(value) FILTER (WHERE name = 'drift_left_out') AS left_out
                FROM facts
                ",
                &[],
            )
            .await?;
        let heard_at = time(&row, "heard_at")?;
        Ok(LearnerState {
            cursor: column(&row, "cursor")?,
            since: column(&row, "since")?,
            heard_at: (heard_at > Timestamp::default()).then_some(heard_at),
            entities: number(&row, "entities")?,
            left_out: number(&row, "left_out")?,
        })
    }

    async fn learnable_after(
        &self,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<LogSection, StoreError> {
        // Before the section is read: it has at least what was final then.
        let missing_since = missing_since(self).await?;
        let (deliveries, through) = self.page_of_log(&HAS_PAYLOAD, after, limit, bytes).await?;
        Ok(LogSection { deliveries, through, missing_since })
    }

    async fn learn(&self, learnt: Learnt) -> Result<bool, StoreError> {
        let learnt = &learnt;
        self.add(|to| async move { learn(&to, learnt).await }).await
    }
}

/// Since when deliveries may be missing at positions that are final now; `None`: none is missing.
async fn missing_since(store: &Postgres) -> Result<Option<Timestamp>, StoreError> {
    let connection = store.connection().await?;
    let now = store.clock.now();
    let row = connection
        .one(
            r"
            SELECT
                pg_snapshot_xmin(snapshot)::text::bigint AS oldest,
                pg_snapshot_xmax(snapshot)::text::bigint AS next
            FROM pg_current_snapshot() AS snapshot
            ",
            &[],
        )
        .await?;
    Ok(store.settled.missing_since(now, column(&row, "oldest")?, column(&row, "next")?))
}

/// Writes what was learnt; `false`, with nothing written, if another caller moved the cursor or counted more of a type.
async fn learn(to: &Transaction, learnt: &Learnt) -> Result<bool, StoreError> {
    if lock(to, "lens_cursor").await? != learnt.from || !drift::are_known(to, &learnt.types).await? {
        return Ok(false);
    }
    for learnt in &learnt.types {
        drift::learn(to, learnt).await?;
    }
    entities::see(to, &learnt.entities, learnt.is_history).await?;
    if let Some(moved) = learnt.moved {
        set(to, "lens_cursor", moved.through).await?;
        add(to, "drift_left_out", count(moved.left_out)).await?;
    }
    Ok(true)
}
