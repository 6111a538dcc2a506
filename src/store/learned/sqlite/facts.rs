//! Numbers stored next to the rows they describe.

use rusqlite::{Connection, params};

/// A stored number.
pub fn fact(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            r"
            SELECT value
            FROM facts
            WHERE name = ?1
            ",
        )?
        .query_row([name], |row| row.get("value"))
}

/// Adds to a stored number.
pub fn add(connection: &Connection, name: &str, more: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            r"
            UPDATE facts
            SET value = value + ?2
            WHERE name = ?1
            ",
        )?
        .execute(params![name, more])?;
    Ok(())
}
