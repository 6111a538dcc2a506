//! The nodes of a store: each has a name of its own, and says every few seconds that it is there.
//!
//! A node that was killed starts again at once under its name: it has the same data directory, which no second process can
//! use. Another one waits until the name is silent for a while.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::database::Database;
use super::values::{Param, column, params};
use crate::config::Instance;
use crate::store::StoreError;

/// How often a node says that it is there.
const BEAT: Duration = Duration::from_secs(2);
/// A name is free when its node was silent for so long, in microseconds.
pub const SILENT_US: i64 = 6_500_000;
/// The pause between two looks at a name that is taken.
const PAUSE: Duration = Duration::from_millis(250);
/// Nodes that are away for so long are forgotten, in microseconds.
const FORGOTTEN_US: i64 = 30 * 86_400_000_000;
/// Microseconds of the server's clock, the one that all nodes share.
pub const NOW_US: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

impl Database {
    /// Takes the name of this node.
    ///
    /// # Errors
    /// Those of `refused` if a node with this name is alive; `Unavailable`.
    pub(super) async fn join(
        &self,
        instance: Instance,
        refused: &(impl Fn(String) -> StoreError + Sync),
    ) -> Result<(), StoreError> {
        let mut seen_before = None;
        while !self.take_name(instance).await? {
            let row = self
                .connection()
                .await?
                .maybe("SELECT seen_at FROM nodes WHERE name = $1", &params![self.node])
                .await?;
            let seen: Option<i64> = row.map(|row| column(&row, "seen_at")).transpose()?;
            match seen_before {
                None => tracing::warn!(node = %self.node, "waiting: another node had this name a moment ago"),
                Some(before) if before != seen => {
                    return Err(refused(format!(
                        "a node named {:?} is running; give each node a store.node of its own",
                        self.node
                    )));
                }
                Some(_) => {}
            }
            seen_before = Some(seen);
            sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn take_name(&self, instance: Instance) -> Result<bool, StoreError> {
        self.run_locally(
            &format!("DELETE FROM nodes WHERE seen_at < {NOW_US} - $1 AND name <> $2"),
            &params![FORGOTTEN_US, self.node],
        )
        .await?;
        let taken = self
            .run_locally(
                &format!(
                    r"
                    INSERT INTO nodes (name, instance, start, started_at, seen_at, is_gone)
                    VALUES ($1, $2, $3, {NOW_US}, {NOW_US}, false)
                    ON CONFLICT (name) DO UPDATE
                    SET instance = excluded.instance, start = excluded.start, started_at = excluded.started_at,
                        seen_at = excluded.seen_at, is_gone = false
                    WHERE nodes.is_gone OR nodes.instance = excluded.instance
                    OR nodes.seen_at < excluded.seen_at - $4
                    "
                ),
                &params![self.node, instance.to_vec(), self.start, SILENT_US],
            )
            .await?;
        Ok(taken > 0)
    }

    /// Keeps saying that this node is there.
    pub(super) fn keep_name(self: &Arc<Self>, instance: Instance) {
        let database = Arc::clone(self);
        self.runtime().spawn(async move {
            let mut is_lost = false;
            loop {
                sleep(BEAT).await;
                // A database that is away says nothing about the name.
                let Ok(is_kept) = database.beat().await else { continue };
                // Another process took the name while this one was stopped. It gets it back when that one ends.
                let is_mine = is_kept || database.take_name(instance).await.unwrap_or(false);
                if !is_mine && !is_lost {
                    tracing::error!(
                        node = %database.node,
                        "another node uses this name; give each node a store.node of its own"
                    );
                }
                is_lost = !is_mine;
            }
        });
    }

    /// Whether the name is still this process's.
    async fn beat(&self) -> Result<bool, StoreError> {
        let kept = self
            .run_locally(
                &format!(
                    "UPDATE nodes SET seen_at = {NOW_US}, is_gone = false WHERE name = $1 AND start = $2"
                ),
                &params![self.node, self.start],
            )
            .await?;
        Ok(kept > 0)
    }

    /// The name of a node that is alive, if there is one.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be read.
    pub async fn live_node(&self) -> Result<Option<String>, StoreError> {
        let row = self
            .connection()
            .await?
            .maybe(
                &format!("SELECT name FROM nodes WHERE NOT is_gone AND seen_at >= {NOW_US} - $1 ORDER BY name LIMIT 1"),
                &params![SILENT_US],
            )
            .await?;
        row.map(|row| column(&row, "name")).transpose()
    }

    /// Frees the name at once, at a clean stop.
    pub async fn leave(&self) {
        // Without it, the name is free when this node was silent for a while.
        let _ = self
            .run_locally(
                "UPDATE nodes SET is_gone = true WHERE name = $1 AND start = $2",
                &params![self.node, self.start],
            )
            .await;
    }

    /// Runs a statement without waiting for a standby, which would last as long as the standby is away. What it writes may
    /// be lost in a failover.
    pub(super) async fn run_locally(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let transaction = self.begin().await?;
        transaction.batch("SET LOCAL synchronous_commit = local").await?;
        let changed = transaction.run(sql, params).await?;
        transaction.commit().await?;
        Ok(changed)
    }
}
