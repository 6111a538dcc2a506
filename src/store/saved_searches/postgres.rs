//! Saved searches in PostgreSQL.

use crate::store::StoreError;
use crate::store::postgres::Postgres;
use crate::store::*;
use async_trait::async_trait;

#[async_trait]
impl SavedSearches for Postgres {
    async fn save_search(&self, search: SavedSearch) -> Result<bool, StoreError> {
        unimplemented!()
    }

    async fn remove_search(&self, name: String) -> Result<bool, StoreError> {
        unimplemented!()
    }

    async fn saved_searches(&self) -> Result<Vec<SavedSearch>, StoreError> {
        unimplemented!()
    }
}
