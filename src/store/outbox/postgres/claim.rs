//! Claims due messages, with a lease.
//!
//! A lease is by the server's clock, which all nodes share. The caller says when its lease ends by the node's clock; only
//! how long that is from now is taken over. So a node whose clock is wrong, or that was frozen, leases no longer and no
//! shorter than others. (In tests the node's clock is moved by hand; by as much is added to the server's.)

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::take::Claimed;
use super::{rate, schedule, settle};
use crate::domain::{Now, Timestamp};
use crate::store::numbers::{PENDING, SENDING};
use crate::store::postgres::{NOW_US, Param, Postgres, Transaction, column, params, small};
use crate::store::{Due, LaneClaim, Sending, Settlement, StoreError};

#[async_trait]
impl Sending for Postgres {
    async fn recover_messages(&self, now: Now, spread: Duration) -> Result<usize, StoreError> {
        let (node, advanced) = (self.node.as_str(), self.clock.advanced_us());
        self.change(|to| async move { recover(&to, (node, advanced), now, spread).await }).await
    }

    async fn keep_wall_ahead(&self, micros: i64) -> Result<(), StoreError> {
        let node = self.node.as_str();
        self.change(|to| async move { schedule::keep_wall_ahead(&to, node, micros).await }).await
    }

    async fn claim_due(&self, claim: LaneClaim) -> Result<Due, StoreError> {
        let (node, advanced, claim) = (self.node.as_str(), self.clock.advanced_us(), &claim);
        self.change(|to| async move { self::claim(&to, (node, advanced), claim).await }).await
    }

    async fn rate_marks(
        &self,
        target: String,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, u32)>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                r"
                SELECT at, count(*) AS requests
                FROM rate_marks
                WHERE target_id = $1
                  AND at >= $2
                GROUP BY at
                ORDER BY at
                ",
                &params![target, since.as_micros()],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let requests = small(column(row, "requests")?, "requests")?;
                Ok((Timestamp::from_micros(column(row, "at")?), requests))
            })
            .collect()
    }

    async fn settle(&self, settlements: Arc<Vec<Settlement>>) -> Result<(), StoreError> {
        let (advanced, settlements) = (self.clock.advanced_us(), settlements.as_slice());
        self.change(|to| async move { settle::settle(&to, settlements, advanced).await }).await
    }
}

/// Releases the messages that this node had claimed when it ended, and those whose lease has expired: what another node
/// is sending stays its own. Overdue retries are spread over `spread`.
async fn recover(
    to: &Transaction,
    (node, advanced): (&str, i64),
    now: Now,
    spread: Duration,
) -> Result<usize, StoreError> {
    schedule::take_up(to, node, now).await?;
    let own = format!("claimed_by = $2 OR lease_until < (SELECT {NOW_US} + $3)");
    let freed = free(to, &own, "FOR UPDATE", &params![now.due.as_micros(), node, advanced]).await?;
    schedule::spread_overdue(to, now.due, spread).await?;
    Ok(usize::try_from(freed).unwrap_or(usize::MAX))
}

/// Claims what is due. Expired leases are released first. Lanes that are not reached are not reported.
async fn claim(
    to: &Transaction,
    (node, advanced): (&str, i64),
    claim: &LaneClaim,
) -> Result<Due, StoreError> {
    // Before any row is locked: nobody who waits for a lane has something that others wait for.
    rate::lock_lanes(to, &claim.lanes).await?;
    let row = to.one("SELECT value FROM facts WHERE name = 'subscriptions'", &[]).await?;
    if column::<i64>(&row, "value")? != claim.revision {
        return Ok(Due { is_outdated: true, ..Due::default() });
    }
    let has_freed = free_expired(to, (node, advanced), claim).await?;
    let mut claimed = Claimed::new(to, (node, advanced), claim.now);
    for lane in &claim.lanes {
        if claimed.is_enough() {
            break;
        }
        claimed.take(lane).await?;
    }
    Ok(Due { has_freed, ..claimed.due })
}

/// Their claims keep their numbers: as long as nobody has claimed a message again, its outcome is still welcome. That
/// this node stood still prolongs its own leases only.
async fn free_expired(
    to: &Transaction,
    (node, advanced): (&str, i64),
    claim: &LaneClaim,
) -> Result<bool, StoreError> {
    let stood_still = claim.now.as_micros().saturating_sub(claim.leases_ended.as_micros());
    let (now, here) = (claim.now.as_micros(), format!("(SELECT {NOW_US} + $3)"));
    let expired = format!("lease_until < {here} AND (claimed_by <> $2 OR lease_until < {here} - $4)");
    let values = params![now, node, advanced, stood_still];
    Ok(free(to, &expired, "FOR UPDATE SKIP LOCKED", &values).await? > 0)
}

/// Makes the claimed messages due now, `$1`, that meet a condition; returns how many.
async fn free(to: &Transaction, which: &str, lock: &str, values: &[Param<'_>]) -> Result<u64, StoreError> {
    to.run(
        &format!(
            r"
            UPDATE messages
            SET status = {PENDING},
                lease_until = NULL,
                next_attempt_at = $1
            WHERE status = {SENDING}
              AND seq = ANY (ARRAY(
                  SELECT seq
                  FROM messages
                  WHERE status = {SENDING}
                    AND ({which})
                  ORDER BY seq
                  {lock}
              ))
            "
        ),
        values,
    )
    .await
}
