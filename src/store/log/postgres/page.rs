//! Reads whole deliveries in the order of the log, for those who follow it.

use super::rows::{ROW_COLUMNS, with_bytes};
use crate::store::postgres::{HORIZON, Postgres, params};
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
        let newest = *self.newest.borrow();
        let (rows_limit, bytes_limit) =
            (i64::try_from(limit).unwrap_or(i64::MAX), i64::try_from(bytes).unwrap_or(i64::MAX));
        // The bodies are read after the page is cut, so that a page of large ones costs no more than what it returns.
        let found = self
            .connection()
            .await?
            .rows(
                &format!(
                    "SELECT {ROW_COLUMNS}, d.headers, d.body
                     FROM (SELECT seq, sum(size_bytes) OVER (ORDER BY seq) - size_bytes AS bytes_before
                           FROM (SELECT d.seq, d.size_bytes FROM deliveries d
                                 WHERE d.seq > $1 AND d.seq < {HORIZON} AND ({condition})
                                 ORDER BY d.seq LIMIT $2) AS next) AS page
                     JOIN deliveries d ON d.seq = page.seq
                     WHERE page.bytes_before < $3 ORDER BY d.seq"
                ),
                &params![after, rows_limit, bytes_limit],
            )
            .await?
            .iter()
            .map(with_bytes)
            .collect::<Result<Vec<_>, _>>()?;
        // A short page reached the end: it covers everything that was final before the query.
        let weight: usize = found.iter().map(|delivery| delivery.body.len()).sum();
        let last = found.last().map_or(after, |delivery| delivery.row.seq);
        let is_page_full = found.len() >= limit || weight >= bytes;
        Ok((found, if is_page_full { last } else { last.max(newest) }))
    }
}
