//! Whether a database is the destination of an unfinished `tagohook migrate-store`.

use super::database::Database;
use super::values::column;
use crate::store::StoreError;

/// Whether the database is the destination of an unfinished move: it has the table `moving`.
///
/// # Errors
/// `Unavailable` if it cannot be read.
pub async fn is_unfinished(database: &Database) -> Result<bool, StoreError> {
    let sql = "SELECT to_regclass('moving') IS NOT NULL AS is_there";
    column(&database.connection().await?.one(sql, &[]).await?, "is_there")
}
