//! The nodes as the database knows them, by its clock.

use async_trait::async_trait;

use super::{NodeState, Nodes};
use crate::domain::Timestamp;
use crate::store::StoreError;
use crate::store::postgres::{NOW_US, Postgres, SILENT_US, column, params};

#[async_trait]
impl Nodes for Postgres {
    async fn nodes(&self) -> Result<Vec<NodeState>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                &format!(
                    r"
                    SELECT name, started_at, seen_at, is_gone, seen_at >= {NOW_US} - $1 AS is_heard
                    FROM nodes
                    ORDER BY name
                    "
                ),
                &params![SILENT_US],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let name: String = column(row, "name")?;
                let is_stopped: bool = column(row, "is_gone")?;
                Ok(NodeState {
                    is_own: name == self.node,
                    name,
                    started_at: Timestamp::from_micros(column(row, "started_at")?),
                    seen_at: Timestamp::from_micros(column(row, "seen_at")?),
                    is_alive: !is_stopped && column(row, "is_heard")?,
                    is_stopped,
                })
            })
            .collect()
    }
}
