//! Transactions that are repeated after a conflict with another node's.

use std::sync::Arc;

use super::database::Database;
use super::transaction::Transaction;
use crate::store::StoreError;

/// How often a transaction is tried that conflicts with others.
const TRIES: usize = 5;

impl Database {
    /// Adds data like `change`; a full store refuses it.
    ///
    /// # Errors
    /// As for `change`; `Unavailable` if the store is full.
    pub async fn add<T, F>(&self, work: impl Fn(Arc<Transaction>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let blocked = self.blocked.lock().clone();
        if let Some(why) = blocked {
            return Err(StoreError::Unavailable(why));
        }
        self.change(work).await
    }

    /// Runs `work` in a transaction and commits it. After a deadlock or a conflict with another transaction, of which
    /// nothing is left, it is tried again; so `work` may run several times. It must not keep the transaction.
    ///
    /// # Errors
    /// Those of `work` and of `Transaction::commit`.
    pub async fn change<T, F>(&self, work: impl Fn(Arc<Transaction>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut left = TRIES;
        loop {
            let transaction = Arc::new(self.begin().await?);
            left = left.saturating_sub(1);
            match work(Arc::clone(&transaction)).await {
                Ok(value) => {
                    let kept = || StoreError::Unavailable("a transaction is still in use".to_owned());
                    Arc::into_inner(transaction).ok_or_else(kept)?.commit().await?;
                    return Ok(value);
                }
                Err(_) if transaction.has_conflicted() && left > 0 => {}
                Err(fault) => return Err(fault),
            }
        }
    }
}
