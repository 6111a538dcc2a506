//! The log as SQLite keeps it: see `Log`.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::query;
use crate::domain::{DeliveryId, Entry, StoredDelivery};
use crate::store::log::prepared::Prepared;
use crate::store::sqlite::Sqlite;
use crate::store::{Answered, Log, StoreError, Written};

#[async_trait]
impl Log for Sqlite {
    fn append<'s, 'f>(&'s self, entry: Entry) -> BoxFuture<'f, Result<Written, StoreError>>
    where
        's: 'f,
        Self: 'f,
    {
        // Encoded at once: the future need not hold the entry.
        let prepared = Prepared::encode(entry).map(Box::new);
        Box::pin(async move { self.writer.append(prepared?).await })
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<StoredDelivery>, StoreError> {
        self.read(move |from| query::delivery(from, id)).await
    }

    async fn answered_lately(&self, last: usize) -> Result<Vec<Answered>, StoreError> {
        self.read(move |from| query::answered_lately(from, last)).await
    }

    async fn hung_up(&self, seq: i64, after: Duration) -> Result<(), StoreError> {
        self.change(move |to| query::hung_up(to, seq, after)).await
    }

    fn newest(&self) -> watch::Receiver<i64> {
        self.shared.newest.subscribe()
    }

    fn pruned_through(&self) -> i64 {
        self.shared.pruned_through()
    }
}
