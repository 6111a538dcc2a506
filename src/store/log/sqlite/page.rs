//! Reads deliveries with their bodies in the order of the log: for the fan-out and the learner, which follow it.

use rusqlite::{Connection, params};

use super::rows::{self, PAYLOAD_COLUMNS, ROW_COLUMNS};
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{Log as _, LoggedDelivery, StoreError};

impl Sqlite {
    /// Deliveries after `after` for which `condition` is true, oldest first, and the position through which the log was
    /// read. At most `limit` deliveries and about `bytes` of bodies.
    pub async fn page_of_log(
        &self,
        condition: String,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<LoggedDelivery>, i64), StoreError> {
        let newest = *self.newest().borrow();
        let found = self.read(move |from| page(from, &condition, after, limit, bytes)).await?;
        // A short page reached the end: it covers everything committed before the query.
        let weight: usize = found.iter().map(|delivery| delivery.body.len()).sum();
        let last = found.last().map_or(after, |delivery| delivery.row.seq);
        let is_page_full = found.len() >= limit || weight >= bytes;
        Ok((found, if is_page_full { last } else { last.max(newest) }))
    }
}

fn page(
    connection: &Connection,
    condition: &str,
    after: i64,
    limit: usize,
    bytes: usize,
) -> rusqlite::Result<Vec<LoggedDelivery>> {
    let mut statement = connection.prepare_cached(&format!(
        r"
        SELECT {ROW_COLUMNS}, {PAYLOAD_COLUMNS}
        FROM deliveries d
        JOIN delivery_bytes b USING (seq)
        WHERE d.seq > ?1
          AND ({condition})
        ORDER BY d.seq
        LIMIT ?2
        "
    ))?;
    let mut rows = statement.query(params![after, whole(limit)])?;
    let mut found = Vec::new();
    let mut weight = 0_usize;
    while let Some(row) = rows.next()? {
        let delivery = rows::with_payload(row)?;
        weight = weight.saturating_add(delivery.body.len());
        found.push(delivery);
        if weight >= bytes {
            break;
        }
    }
    Ok(found)
}
