//! Brings a file to the schema of this program, and refuses one that is ahead of it.

use rusqlite::{Connection, OptionalExtension as _};

use crate::store::StoreError;

mod embedded {
    refinery::embed_migrations!("src/store/sqlite/migrations");
}

/// Applies the migrations that `connection` lacks.
pub fn migrate(connection: &mut Connection, path: &str) -> Result<(), StoreError> {
    let runner = embedded::migrations::runner();
    let known = runner.get_migrations().iter().map(|migration| migration.version()).max().unwrap_or(0);
    let found = newest_applied(connection)?;
    if found > known {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found, known });
    }
    if found < known {
        runner.run(connection).map_err(|fault| StoreError::Open {
            path: path.to_owned(),
            cause: format!("migration failed: {fault}"),
        })?;
    }
    Ok(())
}

fn newest_applied(connection: &Connection) -> Result<i32, StoreError> {
    let exists = connection
        .query_row("SELECT 1 FROM sqlite_master WHERE name = 'refinery_schema_history'", [], |_| Ok(()))
        .optional()?
        .is_some();
    if !exists {
        return Ok(0);
    }
    let newest = connection.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| {
        row.get::<_, Option<i32>>(0)
    })?;
    Ok(newest.unwrap_or(0))
}
