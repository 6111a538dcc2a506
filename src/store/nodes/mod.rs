//! The nodes that share a store.

mod postgres;
mod sqlite;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::Timestamp;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeState {
    /// Its name.
    pub name: String,
    /// When its program started.
    pub started_at: Timestamp,
    /// When it last said that it is there.
    pub seen_at: Timestamp,
    /// Whether it is running, as far as can be told: it said so a few seconds ago, and was not stopped.
    pub is_alive: bool,
    /// Whether it was stopped properly.
    pub is_stopped: bool,
    /// Whether it is the node that answers.
    pub is_own: bool,
}

impl NodeState {
    /// Its state in a word: `running`, `stopped` properly, or `away`.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match (self.is_alive, self.is_stopped) {
            (true, _) => "running",
            (false, true) => "stopped",
            (false, false) => "away",
        }
    }
}

/// Who uses the store.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// The nodes of the store by name, with those that were there within the last days; none where the store is a file, which
    /// one node uses.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn nodes(&self) -> Result<Vec<NodeState>, StoreError>;
}
