//! Updates what is learnt from the log: the cursor and the learnt data change in one transaction.

use async_trait::async_trait;
use rusqlite::Connection;

use super::facts::{add, fact};
use super::{drift, entities};
use crate::domain::{Reason, Timestamp};
use crate::store::numbers::{ACCEPTED, REJECTED};
use crate::store::sqlite::Sqlite;
use crate::store::{LearnerState, Learning, Learnt, LogSection, StoreError};

/// The condition of what the learner reads: deliveries that were accepted or failed schema validation. The unary plus
/// keeps SQLite from using the index on verdicts: the log is read in its order.
fn has_payload() -> String {
    let (invalid, unknown) = (Reason::InvalidPayload.as_str(), Reason::UnknownEvent.as_str());
    format!(
        r"
        +d.verdict = {ACCEPTED}
        OR (+d.verdict = {REJECTED} AND +d.reason IN ('{invalid}', '{unknown}'))
        "
    )
}

#[async_trait]
impl Learning for Sqlite {
    async fn learner_state(&self) -> Result<LearnerState, StoreError> {
        self.read(state).await
    }

    async fn learnable_after(
        &self,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<LogSection, StoreError> {
        let (deliveries, through) = self.page_of_log(has_payload(), after, limit, bytes).await?;
        // Positions are given in the order of writing, so none is missing.
        Ok(LogSection { deliveries, through, missing_since: None })
    }

    async fn learn(&self, learnt: Learnt) -> Result<bool, StoreError> {
        self.add(move |to| learn(to, &learnt)).await
    }
}

/// How far the learner has read the log.
pub fn state(connection: &Connection) -> rusqlite::Result<LearnerState> {
    let heard_at = fact(connection, "lens_heard_at")?;
    Ok(LearnerState {
        cursor: fact(connection, "lens_cursor")?,
        since: fact(connection, "lens_since")?,
        heard_at: (heard_at > 0).then_some(Timestamp::from_micros(heard_at)),
        entities: fact(connection, "entities")?.unsigned_abs(),
        left_out: fact(connection, "drift_left_out")?.unsigned_abs(),
    })
}

/// Writes what was learnt; `false`, with nothing written, if another caller moved the cursor or counted more of a type.
pub fn learn(connection: &Connection, learnt: &Learnt) -> rusqlite::Result<bool> {
    if fact(connection, "lens_cursor")? != learnt.from {
        return Ok(false);
    }
    for learnt in &learnt.types {
        if drift::through(connection, learnt)? != learnt.after {
            return Ok(false);
        }
    }
    for learnt in &learnt.types {
        drift::learn(connection, learnt)?;
    }
    for seen in &learnt.entities {
        entities::see(connection, seen, learnt.is_history)?;
    }
    if let Some(moved) = learnt.moved {
        add(connection, "lens_cursor", moved.through.saturating_sub(learnt.from))?;
        add(connection, "drift_left_out", i64::try_from(moved.left_out).unwrap_or(i64::MAX))?;
    }
    Ok(true)
}
