//! Saved searches in SQLite.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::MOST;
use crate::store::sqlite::Sqlite;
use crate::store::{SavedSearch, SavedSearches, StoreError};

#[async_trait]
impl SavedSearches for Sqlite {
    async fn save_search(&self, search: SavedSearch) -> Result<bool, StoreError> {
        self.add(move |to| save(to, &search)).await
    }

    async fn remove_search(&self, name: String) -> Result<bool, StoreError> {
        self.change(move |to| remove(to, &name)).await
    }

    async fn saved_searches(&self) -> Result<Vec<SavedSearch>, StoreError> {
        self.read(all).await
    }
}

/// Saves a search and replaces one of the same name; `false` if a hundred others are already saved.
pub fn save(connection: &Connection, search: &SavedSearch) -> rusqlite::Result<bool> {
    let others: i64 = connection
        .prepare_cached("SELECT count(*) FROM saved_searches WHERE name <> ?1")?
        .query_row([&search.name], |row| row.get(0))?;
    if others >= MOST {
        return Ok(false);
    }
    connection
        .prepare_cached(
            r"
            INSERT INTO saved_searches (name, query)
            VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET query = excluded.query
            ",
        )?
        .execute(params![search.name, search.query])?;
    Ok(true)
}

/// Removes a search; `false` if none has that name.
pub fn remove(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    Ok(connection.prepare_cached("DELETE FROM saved_searches WHERE name = ?1")?.execute([name])? > 0)
}

/// All saved searches, by name.
pub fn all(connection: &Connection) -> rusqlite::Result<Vec<SavedSearch>> {
    connection
        .prepare_cached("SELECT name, query FROM saved_searches ORDER BY name")?
        .query_map([], |row| Ok(SavedSearch { name: row.get("name")?, query: row.get("query")? }))?
        .collect()
}
