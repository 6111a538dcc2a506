//! What every store promises about saved searches.

pub mod postgres;
pub mod sqlite;

use async_trait::async_trait;

use crate::store::StoreError;

/// The most saved searches.
const MOST: i64 = 100;

/// A search with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSearch {
    /// Its name.
    pub name: String,
    /// Its query string, as for a list: `verdict=rejected&q=…`.
    pub query: String,
}

/// Searches with a name.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait SavedSearches: Send + Sync {
    /// Saves a search and replaces one of the same name; `false` if a hundred others are already saved.
    async fn save_search(&self, search: SavedSearch) -> Result<bool, StoreError>;

    /// Removes a search; `false` if none has that name.
    async fn remove_search(&self, name: String) -> Result<bool, StoreError>;

    /// Every saved search, by name.
    async fn saved_searches(&self) -> Result<Vec<SavedSearch>, StoreError>;
}
