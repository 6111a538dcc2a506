//! What devices are called: by hand, by their own source, or by another source where the id is one of the whole world.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::is_worldwide;

/// The names of entities, each by its source and id; what has none is left out.
pub fn names(
    connection: &Connection,
    entities: HashSet<(String, String)>,
) -> rusqlite::Result<HashMap<(String, String), String>> {
    let mut own = connection.prepare_cached(
        r"
        SELECT coalesce(own_name, name) AS called
        FROM entities
        WHERE entity = ?1
          AND source = ?2
          AND called IS NOT NULL
        ",
    )?;
    let mut joined = connection.prepare_cached(
        r"
        SELECT coalesce(own_name, name) AS called
        FROM entities INDEXED BY entities_joined
        WHERE entity = ?1
          AND length(entity) >= 12
          AND called IS NOT NULL
        ORDER BY own_name IS NULL, source <> ?2, source
        LIMIT 1
        ",
    )?;
    let mut names = HashMap::new();
    for (source, entity) in entities {
        let read = if is_worldwide(&entity) { &mut joined } else { &mut own };
        let name: Option<String> = read.query_row([&entity, &source], |row| row.get("called")).optional()?;
        if let Some(name) = name {
            names.insert((source, entity), name);
        }
    }
    Ok(names)
}
