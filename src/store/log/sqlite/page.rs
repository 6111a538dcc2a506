//! Reads whole deliveries in the order of the log, for those who follow it.

use rusqlite::{Connection, params};

use super::rows::{self, AFTER_ROW, ROW_COLUMNS};
use crate::store::log::encoding::headers;
use crate::store::sqlite::{Sqlite, whole};
use crate::store::{FannedDelivery, Log as _, StoreError};

impl Sqlite {
    /// Deliveries after `after` for which `condition` is true, oldest first, and the position through which the log was
    /// read. At most `limit` deliveries and about `bytes` of bodies.
    pub async fn page_of_log(
        &self,
        condition: &'static str,
        after: i64,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<FannedDelivery>, i64), StoreError> {
        let newest = *self.newest().borrow();
        let found = self.read(move |from| page(from, condition, after, limit, bytes)).await?;
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
) -> rusqlite::Result<Vec<FannedDelivery>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ROW_COLUMNS}, b.headers, b.body FROM deliveries d JOIN delivery_bytes b USING (seq)
         WHERE d.seq > ?1 AND ({condition}) ORDER BY d.seq LIMIT ?2"
    ))?;
    let mut rows = statement.query(params![after, whole(limit)])?;
    let mut found = Vec::new();
    let mut weight = 0_usize;
    while let Some(row) = rows.next()? {
        let delivery = with_bytes(row)?;
        weight = weight.saturating_add(delivery.body.len());
        found.push(delivery);
        if weight >= bytes {
            break;
        }
    }
    Ok(found)
}

/// Reads a delivery from `ROW_COLUMNS`, headers and body.
pub fn with_bytes(row: &rusqlite::Row<'_>) -> rusqlite::Result<FannedDelivery> {
    Ok(FannedDelivery {
        row: rows::row(row)?,
        headers: headers(row.get_ref(AFTER_ROW)?.as_blob()?),
        body: bytes::Bytes::copy_from_slice(row.get_ref(AFTER_ROW + 1)?.as_blob()?),
    })
}
