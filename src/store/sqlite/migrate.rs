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
    "V27__devices",
    "V29__outbound",
    "V30__api_tokens",
    "V31__event_id_runs",
    "V32__packed_texts",
    "V33__event_ids_stay"
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
    fn bursts_are_forgotten_and_trouble_is_found_where_an_older_file_becomes_this_one() {
        let connection = Connection::open_in_memory().unwrap();
        let (devices, before): (Vec<_>, Vec<_>) =
            MIGRATIONS.iter().partition(|(name, _)| *name == "V27__devices");
        before.iter().for_each(|(_, sql)| connection.execute_batch(sql).unwrap());
        let late = "[0, 0, 0, 0, 0, 0, 99000, 99000, 99000]";
        for (id, gaps, lags) in [
            ("ahead", "[84, 300000, 90, 299000, 301000]", "[-139000, -139000]"),
            ("burst", "[1, 2, 3, 4]", "[]"),
            ("late", "[5000, 5000, 5000]", late),
        ] {
            let habits = format!("{{\"gaps\":{gaps},\"lags\":{lags},\"hour\":0,\"hours\":[]}}");
            let insert = "INSERT INTO entities (source, entity, first_seen, last_seen, last_delivery, deliveries, \
                          out_of_order, late, due_rule, habits, through) VALUES ('s', ?1, 0, 1000, x'00', 1, 0, 0, 0, ?2, 1)";
            connection.execute(insert, [id, &habits]).unwrap();
        }
        devices.iter().for_each(|(_, sql)| connection.execute_batch(sql).unwrap());
        let mut read = connection
            .prepare(
                "SELECT trouble, quiet_at, json_array_length(habits, '$.gaps') FROM entities ORDER BY entity",
            )
            .unwrap();
        let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        let rows: Vec<(i64, Option<i64>, i64)> = rows.map(Result::unwrap).collect();
        assert_eq!(rows, [(2, Some(900_001_000), 3), (0, None, 0), (1, Some(60_001_000), 3)]);
    }

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
