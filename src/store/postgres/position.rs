//! Positions in the log.
//!
//! Several nodes write at once, and transactions do not commit in the order in which they began. A position is made of the
//! number of its transaction and a place in it, so that positions of one transaction follow each other, and every position
//! below the oldest running transaction is final. A reader that continues from a cursor reads up to that horizon, and passes
//! nothing that may still appear.
//!
//! The numbers of transactions start again in another cluster, to which a dump is restored, and a standby that is promoted
//! uses those again that it did not get. `xid_offset` in the table `facts` keeps positions ascending all the same.

use super::connection::Connection;
use super::database::Database;
use super::values::column;
use crate::store::StoreError;

/// Positions of one transaction, from the one that `take_event_ids` gives: the most rows of a batch.
pub const PLACES: i64 = 1_024;

/// SQL for the horizon: positions below it are final.
pub const HORIZON: &str = "((pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    + (SELECT value FROM facts WHERE name = 'xid_offset')) * 1024)";

/// The horizon as it is now: every row below it is visible to the statements that follow.
///
/// # Errors
/// `Unavailable` if it cannot be read.
pub async fn horizon(connection: &Connection) -> Result<i64, StoreError> {
    column(&connection.one(&format!("SELECT {HORIZON} AS horizon"), &[]).await?, "horizon")
}

/// A restored dump comes from a cluster whose transactions have other numbers: positions must go on above its last one.
pub async fn raise_above_restored(database: &Database) -> Result<(), StoreError> {
    let transaction = database.begin().await?;
    transaction
        .run(
            r"
            UPDATE facts SET value = raised.value
            FROM (SELECT (SELECT coalesce(max(seq), 0) / 1024 + 1 FROM deliveries)
                      - pg_current_xact_id()::text::bigint AS value) AS raised
            WHERE facts.name = 'xid_offset' AND facts.value < raised.value
            ",
            &[],
        )
        .await?;
    transaction.commit().await
}
