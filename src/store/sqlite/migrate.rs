//! Brings a file to this program's schema, and refuses a file with a newer one.

use refinery_core::{Migration, Runner};
use rusqlite::{Connection, OptionalExtension as _};

use crate::store::StoreError;

macro_rules! migrations {
    ($($name:literal),*) => {
        /// Each file of the folder: its name, which contains its number, and its statements.
        const MIGRATIONS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("migrations/", $name, ".sql")))),*];
    };
}

migrations! {
    "V1__deliveries",
    "V3__sender",
    "V6__replays",
    "V7__drift_and_entities",
    "V8__replay_runs",
    "V9__marks",
    "V10__minutes",
    "V11__saved_searches",
    "V12__fewer_indexes",
    "V20__parked",
    "V23__handshakes",
    "V24__connections",
    "V25__causes",
    "V29__outbound"
}

/// Applies the migrations that are missing in `connection`.
pub fn migrate(connection: &mut Connection, path: &str) -> Result<(), StoreError> {
    let failed = |fault: refinery_core::Error| StoreError::Open {
        path: path.to_owned(),
        cause: format!("migration failed: {fault}"),
    };
    let migrations: Vec<Migration> = MIGRATIONS
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    let known = migrations.iter().map(Migration::version).max().unwrap_or(0);
    let found = newest_applied(connection)?;
    if found > known {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found, known });
    }
    if found < known {
        Runner::new(&migrations).run(connection).map_err(failed)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_migration() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sqlite/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().to_string_lossy().trim_end_matches(".sql").to_owned())
            .collect();
        let mut listed: Vec<&str> = MIGRATIONS.iter().map(|(name, _)| *name).collect();
        files.sort_unstable();
        listed.sort_unstable();
        assert_eq!(files, listed);
    }
}
