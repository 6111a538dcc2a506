//! The log as PostgreSQL keeps it: see `Log`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::rows::{self, BYTES_COLUMNS, ROW_COLUMNS};
use crate::domain::{DeliveryId, Entry, Reason, StoredDelivery};
use crate::store::log::prepared::Prepared;
use crate::store::postgres::{Postgres, column, horizon, params, whole};
use crate::store::{Answered, Log, StoreError, Written};

#[async_trait]
impl Log for Postgres {
    async fn append(&self, entry: Entry) -> Result<Written, StoreError> {
        self.appends.append(Prepared::encode(entry)?).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<StoredDelivery>, StoreError> {
        let row = self
            .connection()
            .await?
            .maybe(
                &format!("SELECT {ROW_COLUMNS}, {BYTES_COLUMNS} FROM deliveries d WHERE d.id = $1"),
                &params![id.as_bytes()],
            )
            .await?;
        row.as_ref().map(rows::stored).transpose()
    }

    async fn answered_lately(&self, last: usize) -> Result<Vec<Answered>, StoreError> {
        let rows = self
            .connection()
            .await?
            .rows(
                "SELECT source, duration_us, reason FROM deliveries ORDER BY seq DESC LIMIT $1",
                &params![whole(last)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let reason: Option<String> = column(row, "reason")?;
                Ok(Answered {
                    source: column(row, "source")?,
                    duration_us: column::<i64>(row, "duration_us")?.unsigned_abs(),
                    reason: reason.as_deref().and_then(Reason::from_word),
                })
            })
            .collect()
    }

    async fn hung_up(&self, seq: i64, after: Duration) -> Result<(), StoreError> {
        let after = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        let sql = "UPDATE deliveries SET hung_up_us = $2 WHERE seq = $1";
        self.connection().await?.run(sql, &params![seq, after]).await?;
        Ok(())
    }

    fn newest(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }

    async fn catch_up(&self, position: i64) -> Result<(), StoreError> {
        if position > *self.newest.borrow() && position < horizon(&self.connection().await?).await? {
            self.see(position);
        }
        Ok(())
    }

    fn turns(&self) -> u64 {
        self.turns.load(Ordering::Acquire)
    }

    fn pruned_through(&self) -> i64 {
        self.pruned_through.load(Ordering::Acquire)
    }
}
