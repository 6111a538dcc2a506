//! Numbers stored next to the rows they describe.

use crate::store::StoreError;
use crate::store::postgres::{Transaction, column, params};

/// Adds to a stored number, and returns it. Its row is locked until the transaction ends.
pub async fn add(to: &Transaction, name: &str, more: i64) -> Result<i64, StoreError> {
    let row = to
        .one(
            r"
            UPDATE facts
            SET value = value + $2
            WHERE name = $1
            RETURNING value
            ",
            &params![name, more],
        )
        .await?;
    column(&row, "value")
}

/// Locks a stored number until the transaction ends, and returns it.
pub async fn lock(to: &Transaction, name: &str) -> Result<i64, StoreError> {
    let row = to
        .one(
            r"
            SELECT value
            FROM facts
            WHERE name = $1
            FOR UPDATE
            ",
            &params![name],
        )
        .await?;
    column(&row, "value")
}

/// Sets a stored number.
pub async fn set(to: &Transaction, name: &str, value: i64) -> Result<(), StoreError> {
    to.run(
        r"
        UPDATE facts
        SET value = $2
        WHERE name = $1
        ",
        &params![name, value],
    )
    .await?;
    Ok(())
}
