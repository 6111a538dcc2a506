//! How far a node has followed the changes of subscriptions that were made on other nodes.

use std::collections::HashMap;

use tokio::sync::{Mutex, MutexGuard, Notify, watch};

use crate::store::SubscriptionRecord;

/// How far this node has followed.
#[derive(Debug)]
pub struct Followed {
    /// The revision that is in force here.
    revision: watch::Sender<i64>,
    /// The records of that revision by id.
    records: Mutex<HashMap<String, SubscriptionRecord>>,
    asked: Notify,
}

impl Default for Followed {
    fn default() -> Self {
        Self { revision: watch::Sender::new(0), records: Mutex::default(), asked: Notify::new() }
    }
}

impl Followed {
    /// The revision that is in force here; callers can wait for it to change.
    pub fn revision(&self) -> watch::Receiver<i64> {
        self.revision.subscribe()
    }

    /// Everything of this revision is in force now.
    pub fn reach(&self, revision: i64) {
        self.revision.send_replace(revision);
    }

    /// The store refused something because this node does not know the last change.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    /// Waits until `ask` is called.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Keeps others from changing what is in force. The records are those of the revision that was reached.
    pub async fn lock(&self) -> MutexGuard<'_, HashMap<String, SubscriptionRecord>> {
        self.records.lock().await
    }
}
