//! Brings a database to this program's schema, and refuses one with a newer schema.

use tokio::runtime::Handle;

use super::connection::Connection;
use super::transaction::Transaction;
use super::values::{column, params};
use crate::store::StoreError;

/// Each version of the schema: what leads from the one before to it.
const MIGRATIONS: &[&str] = &[include_str!("schema/V1__store.sql")];
/// The key of the lock that nodes hold while they migrate: "tagohook" in bytes.
const LOCK: i64 = 0x7461_676f_686f_6f6b;

/// Applies the migrations that are missing. Several nodes may do so at the same moment: one works, the others wait.
pub async fn migrate(connection: Connection, runtime: &Handle, shown: &str) -> Result<(), StoreError> {
    let failed = |fault: StoreError| StoreError::Open {
        path: shown.to_owned(),
        cause: format!("migration failed: {fault}"),
    };
    let transaction = Transaction::begin(connection, runtime.clone()).await.map_err(failed)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found = applied(&transaction).await.map_err(failed)?;
    if found > known {
        let version = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        return Err(StoreError::NewerSchema {
            path: shown.to_owned(),
            found: version(found),
            known: version(known),
        });
    }
    for (number, sql) in (1_i64..).zip(MIGRATIONS).filter(|(number, _)| *number > found) {
        transaction.batch(sql).await.map_err(failed)?;
        transaction
            .run(
                "INSERT INTO schema_versions (version, applied_at) VALUES ($1, clock_timestamp())",
                &params![number],
            )
            .await
            .map_err(failed)?;
    }
    // A restored dump comes from a cluster whose transactions have other numbers.
    transaction
        .batch(
            "UPDATE facts SET value = greatest(value,
                 (SELECT coalesce(max(seq), 0) / 1024 + 1 FROM deliveries) - pg_current_xact_id()::text::bigint)
             WHERE name = 'xid_offset'",
        )
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

async fn applied(transaction: &Transaction) -> Result<i64, StoreError> {
    transaction.rows("SELECT pg_advisory_xact_lock($1)", &params![LOCK]).await?;
    transaction
        .batch("CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL)")
        .await?;
    let row =
        transaction.one("SELECT coalesce(max(version), 0) AS version FROM schema_versions", &[]).await?;
    column(&row, "version")
}
