//! Numbers that are kept beside the rows they are about.

use rusqlite::{Connection, params};

/// A number that is kept.
pub fn fact(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT value FROM facts WHERE name = ?1")?.query_row([name], |row| row.get(0))
}

/// Adds to a number that is kept.
pub fn add(connection: &Connection, name: &str, more: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE facts SET value = value + ?2 WHERE name = ?1")?
        .execute(params![name, more])?;
    Ok(())
}
