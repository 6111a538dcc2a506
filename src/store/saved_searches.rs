//! What every store promises about saved searches.

use crate::store::sqlite::saved_searches;
use crate::store::{Store, StoreError};

/// A search with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSearch {
    /// Its name.
    pub name: String,
    /// Its query string, as for a list: `verdict=rejected&q=…`.
    pub query: String,
}

impl Store {
    /// Saves a search and replaces one of the same name; `false` if a hundred others are already saved.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn save_search(&self, search: SavedSearch) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(true, move |to| saved_searches::save(to, &search)).await,
        }
    }

    /// Removes a search; `false` if none has that name.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn remove_search(&self, name: String) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| saved_searches::remove(to, &name)).await,
        }
    }

    /// Every saved search, by name.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn saved_searches(&self) -> Result<Vec<SavedSearch>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(saved_searches::all).await,
        }
    }
}
