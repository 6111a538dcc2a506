//! Reads whole deliveries in the order of the log, for those who follow it.

use super::rows::{ROW_COLUMNS, with_bytes};
use crate::store::postgres::{Postgres, column, horizon, params, small, whole};
use crate::store::{LoggedDelivery, StoreError};

impl Postgres {
    /// Deliveries after `after` for which `condition` on `deliveries d` is true, oldest first, and the position through
    /// which the log was read. At most `limit` deliveries and about `bytes` of bodies; only final positions.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be read.
    pub async fn page_of_log(
        &self,
        condition: &str,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<LoggedDelivery>, i64), StoreError> {
        let connection = self.begin_in_order().await?;
        let horizon = horizon(&connection).await?;
        // After a failover, a position may be remembered that is not there yet.
        let newest = (*self.newest.borrow()).min(horizon.saturating_sub(1));
        // What the page covers is found first. Then the bodies of a page of large ones cost no more than what it
        // returns, and the second statement reads the partitions of its days only.
        let sized = connection
            .rows(
                &format!(
                    r"
                    SELECT d.seq, d.received_at, d.size_bytes
                    FROM deliveries d
                    WHERE d.seq > $1
                      AND d.seq < $3
                      AND ({condition})
                    ORDER BY d.seq
                    LIMIT $2
                    "
                ),
                &params![after, whole(limit), horizon],
            )
            .await?;
        let mut weight = 0_usize;
        let mut last = after;
        let (mut earliest, mut latest) = (i64::MAX, i64::MIN);
        for row in &sized {
            if weight >= bytes {
                break;
            }
            weight = weight.saturating_add(small(column(row, "size_bytes")?, "size_bytes")?);
            last = column(row, "seq")?;
            let received_at = column(row, "received_at")?;
            (earliest, latest) = (earliest.min(received_at), latest.max(received_at));
        }
        if last == after {
            // The end is reached: everything that was final before the query is covered.
            return Ok((Vec::new(), after.max(newest)));
        }
        let found = connection
            .rows(
                &format!(
                    r"
                    SELECT {ROW_COLUMNS}, d.headers, d.body
                    FROM deliveries d
                    WHERE d.seq > $1
                      AND d.seq <= $2
                      AND d.received_at BETWEEN $3 AND $4
                      AND ({condition})
                    ORDER BY d.seq
                    "
                ),
                &params![after, last, earliest, latest],
            )
            .await?
            .iter()
            .map(with_bytes)
            .collect::<Result<Vec<_>, _>>()?;
        let is_page_full = sized.len() >= limit || weight >= bytes;
        Ok((found, if is_page_full { last } else { last.max(newest) }))
    }
}
