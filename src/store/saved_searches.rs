//! What every store promises about searches that people gave a name.

use crate::store::sqlite::saved_searches;
use crate::store::{Store, StoreError};

/// A search with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSearch {
    /// Its name.
    pub name: String,
    /// What it asks, as parameters of a list: `verdict=rejected&q=…`.
    pub query: String,
}

impl Store {
    /// Keeps a search under its name, in place of the one that had it; `false` where a hundred others are kept already.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn save_search(&self, search: SavedSearch) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(true, move |to| saved_searches::save(to, &search)).await,
        }
    }

    /// Lets a search go; `false` where there is none of that name.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn remove_search(&self, name: String) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| saved_searches::remove(to, &name)).await,
        }
    }

    /// Every saved search, by its name.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn saved_searches(&self) -> Result<Vec<SavedSearch>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(saved_searches::all).await,
        }
    }
}
