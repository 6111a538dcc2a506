//! Transactions.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;

use super::connection::{Connection, chain};
use crate::store::StoreError;

/// How long a node waits for a COMMIT, which may wait for a standby, before it answers that the outcome is unknown.
const COMMIT_LIMIT: Duration = Duration::from_secs(5);

/// An open transaction. Without `commit` it is rolled back.
pub struct Transaction {
    connection: Arc<Connection>,
    is_over: bool,
    runtime: Handle,
}

impl Transaction {
    pub(super) async fn begin(connection: Connection, runtime: Handle) -> Result<Self, StoreError> {
        // A database may have another default. Statements see what was committed before each of them.
        connection.batch("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        Ok(Self { connection: Arc::new(connection), is_over: false, runtime })
    }

    /// Makes the changes durable.
    ///
    /// # Errors
    /// `Unavailable` if a statement failed before: nothing is changed. Also if the outcome is unknown: the server went
    /// away, it waited for its standby in vain, or it did not answer in time. The wait is never cancelled, because the
    /// server would then report success; its connection stays taken until it ends by itself.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.connection.has_failed() {
            return Err(StoreError::Unavailable("a statement of the transaction failed".to_owned()));
        }
        self.is_over = true;
        let link = self.connection.link();
        link.is_unsure.store(false, Ordering::SeqCst);
        let committed = tokio::time::timeout(COMMIT_LIMIT, link.client.batch_execute("COMMIT")).await;
        match committed {
            Ok(Ok(())) if link.is_unsure.load(Ordering::SeqCst) => {
                Err(unknown("the standby did not confirm it"))
            }
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) => {
                link.is_spoilt.store(true, Ordering::SeqCst);
                Err(unknown(&chain(&fault)))
            }
            Err(_) => {
                let connection = Arc::clone(&self.connection);
                self.runtime.spawn(async move {
                    // Answered once the COMMIT before it has ended.
                    connection.spoil_unless(connection.batch("").await.is_ok());
                });
                Err(unknown("the server did not answer in time"))
            }
        }
    }
}

fn unknown(why: &str) -> StoreError {
    StoreError::Unavailable(format!("it is not known whether the change was committed: {why}"))
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.is_over {
            let connection = Arc::clone(&self.connection);
            self.runtime.spawn(async move {
                connection.spoil_unless(connection.batch("ROLLBACK").await.is_ok());
            });
        }
    }
}
