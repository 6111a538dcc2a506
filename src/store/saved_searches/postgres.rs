//! Saved searches in PostgreSQL.

use async_trait::async_trait;

use super::MOST;
use crate::store::postgres::{Postgres, Transaction, column, params};
use crate::store::{SavedSearch, SavedSearches, StoreError};

#[async_trait]
impl SavedSearches for Postgres {
    async fn save_search(&self, search: SavedSearch) -> Result<bool, StoreError> {
        let search = &search;
        self.add(|to| async move { save(&to, search).await }).await
    }

    async fn remove_search(&self, name: String) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        let removed = connection.run("DELETE FROM saved_searches WHERE name = $1", &params![name]).await?;
        Ok(removed > 0)
    }

    async fn saved_searches(&self) -> Result<Vec<SavedSearch>, StoreError> {
        let connection = self.connection().await?;
        let rows = connection.rows("SELECT name, query FROM saved_searches ORDER BY name", &[]).await?;
        rows.iter()
            .map(|row| Ok(SavedSearch { name: column(row, "name")?, query: column(row, "query")? }))
            .collect()
    }
}

async fn save(to: &Transaction, search: &SavedSearch) -> Result<bool, StoreError> {
    // Two nodes could each save the hundredth one.
    to.batch("LOCK TABLE saved_searches IN SHARE ROW EXCLUSIVE MODE").await?;
    let others = to
        .one("SELECT count(*) AS others FROM saved_searches WHERE name <> $1", &params![search.name])
        .await?;
    if column::<i64>(&others, "others")? >= MOST {
        return Ok(false);
    }
    to.run(
        r"
        INSERT INTO saved_searches (name, query)
        VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET query = excluded.query
        ",
        &params![search.name, search.query],
    )
    .await?;
    Ok(true)
}
