//! What nodes that share a store tell each other, and how they divide tasks.

use std::time::Duration;

use async_trait::async_trait;

use crate::store::StoreError;

/// What changed in a store, whichever node did it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Raised by each change of a subscription.
    pub revision: i64,
    /// Whether another node's lease has ended.
    pub has_expired: bool,
    /// Whether there are dead letters without a notice.
    pub has_unreported: bool,
    /// Subscriptions in force with messages that nobody claims although they are due.
    pub waiting: Vec<String>,
}

/// What nodes that share a store tell each other, and how they divide tasks. A file has one node: nothing is news, and
/// every task is its own.
///
/// Every method fails with `Unavailable` if the store cannot be read or written.
#[async_trait]
pub trait Sharing: Send + Sync {
    /// What changed. It is asked for often, so it costs little.
    async fn news(&self) -> Result<News, StoreError>;

    /// Takes or keeps a task that one node at a time does; it is this node's until `lasts` from now. `false` if it is
    /// another node's.
    async fn take_duty(&self, duty: &'static str, lasts: Duration) -> Result<bool, StoreError>;
}
