//! Brings a database to this program's schema, and refuses one with a newer schema.

use super::database::Database;
use super::transaction::Transaction;
use super::values::{column, params};
use crate::store::StoreError;

/// Each version of the schema: what leads from the one before to it.
pub const MIGRATIONS: &[&str] = &[
    include_str!("schema/V1__store.sql"),
    include_str!("schema/V2__append_at_once.sql"),
    include_str!("schema/V3__api_tokens.sql"),
    include_str!("schema/V4__one_offset_at_a_time.sql"),
    include_str!("schema/V5__events_and_devices.sql"),
];
/// The key of the lock that nodes hold while they migrate: "tagohook" in bytes.
const LOCK: i64 = 0x7461_676f_686f_6f6b;

/// Applies the migrations that are missing. Several nodes may do so at the same moment: one works, the others wait.
///
/// # Errors
/// `Unavailable` with the reason, also for the schema of a newer program.
pub async fn migrate(database: &Database, user: &str) -> Result<(), StoreError> {
    let transaction = database.begin().await?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found = applied(&transaction, user).await?;
    if found > known {
        return Err(StoreError::Unavailable(format!(
            "the schema is version {found}, of a newer tagohook; this program knows version {known}: start the newer one"
        )));
    }
    if found == known {
        return Ok(());
    }
    may_create(&transaction, user).await?;
    transaction.take_time().await?;
    if found == 0 {
        transaction
            .batch(
                "CREATE TABLE schema_versions (version BIGINT PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL)",
            )
            .await
            .map_err(failed)?;
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
    transaction.commit().await.map_err(failed)
}

fn failed(fault: StoreError) -> StoreError {
    match fault {
        StoreError::Unavailable(cause) => {
            StoreError::Unavailable(format!("the schema cannot be brought up to date: {cause}"))
        }
        other => other,
    }
}

async fn applied(transaction: &Transaction, user: &str) -> Result<i64, StoreError> {
    transaction.rows("SELECT pg_advisory_xact_lock($1)", &params![LOCK]).await?;
    let row = transaction
        .one(
            r"
            SELECT to_regclass('schema_versions') IS NOT NULL AS is_there,
                coalesce(has_table_privilege(to_regclass('schema_versions')::oid, 'SELECT'), false) AS may_read
            ",
            &[],
        )
        .await?;
    if !column::<bool>(&row, "is_there")? {
        return Ok(0);
    }
    if !column::<bool>(&row, "may_read")? {
        return Err(StoreError::Unavailable(format!(
            "user {user:?} may not read the table schema_versions; deploy/postgres/roles.sql grants it"
        )));
    }
    let row =
        transaction.one("SELECT coalesce(max(version), 0) AS version FROM schema_versions", &[]).await?;
    column(&row, "version")
}

/// Says it before the database does, with what to do.
async fn may_create(transaction: &Transaction, user: &str) -> Result<(), StoreError> {
    let row = transaction
        .one(
            "SELECT current_schema()::text AS schema, has_schema_privilege(current_schema(), 'CREATE') AS may_create",
            &[],
        )
        .await?;
    if column(&row, "may_create")? {
        return Ok(());
    }
    let schema: String = column(&row, "schema")?;
    Err(StoreError::Unavailable(format!(
        "user {user:?} may not create tables in schema {schema:?}; run `tagohook prepare-store` as the owner \
         (deploy/postgres/roles.sql), or GRANT CREATE ON SCHEMA {schema} TO {user}"
    )))
}
