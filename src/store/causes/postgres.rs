//! Why deliveries were rejected or were duplicates, in PostgreSQL.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio::sync::watch;

use super::MOST_ALIKE;
use crate::domain::{Cause, DeliveryRow, Timestamp};
use crate::store::postgres::{Postgres, column, params, whole};
use crate::store::{Alike, Causes, StoreError};

#[async_trait]
impl Causes for Postgres {
    async fn name_causes(&self, found: Vec<(i64, Cause)>) -> Result<(), StoreError> {
        // In one order on all nodes, which may name the same ones at once; of two for one delivery, the last counts.
        let found: BTreeMap<i64, Cause> = found.into_iter().collect();
        if found.is_empty() {
            return Ok(());
        }
        let seqs: Vec<i64> = found.keys().copied().collect();
        let codes: Vec<&str> = found.values().map(|cause| cause.code.as_str()).collect();
        let headlines: Vec<&str> = found.values().map(|cause| cause.headline.as_str()).collect();
        let (seqs, codes, headlines) = (&seqs, &codes, &headlines);
        self.change(|to| async move {
            // One statement, so that it has its locks of tables before those of rows. Deliveries that were removed in
            // the meantime are skipped.
            to.run(
                r"
                INSERT INTO delivery_causes AS known (seq, source, code, headline)
                SELECT d.seq, d.source, found.code, found.headline
                FROM unnest($1, $2, $3) AS found (seq, code, headline)
                JOIN deliveries d ON d.seq = found.seq
                ORDER BY d.seq
                ON CONFLICT (seq) DO UPDATE SET
                    code = excluded.code,
                    headline = excluded.headline
                WHERE (known.code, known.headline) IS DISTINCT FROM (excluded.code, excluded.headline)
                ",
                &params![seqs, codes, headlines],
            )
            .await
        })
        .await?;
        Ok(())
    }

    fn causes_are_named(&self, through: i64) {
        self.named.send_replace(through);
    }

    fn named_through(&self) -> watch::Receiver<i64> {
        self.named.subscribe()
    }

    async fn alike(&self, row: &DeliveryRow, code: &str) -> Result<Option<Alike>, StoreError> {
        let connection = self.connection().await?;
        let found = connection
            .one(
                r"
                SELECT count(*) AS count, min(seq) AS first
                FROM (
                    SELECT seq
                    FROM delivery_causes
                    WHERE source = $1 AND code = $2 AND seq <> $3
                    ORDER BY seq DESC
                    LIMIT $4
                ) AS alike
                ",
                &params![row.source, code, row.seq, whole(MOST_ALIKE)],
            )
            .await?;
        let Some(first) = column::<Option<i64>>(&found, "first")? else { return Ok(None) };
        let count = usize::try_from(column::<i64>(&found, "count")?).unwrap_or_default();
        let oldest =
            connection.maybe("SELECT received_at FROM deliveries WHERE seq = $1", &params![first]).await?;
        let Some(oldest) = oldest else { return Ok(None) };
        let since = Timestamp::from_micros(column(&oldest, "received_at")?);
        Ok(Some(Alike { count, is_all: count < MOST_ALIKE, since }))
    }
}
