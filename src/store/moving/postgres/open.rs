//! Opens a database that no node uses.

use super::end::PostgresEnd;
use crate::store::moving::fault::MoveFault;
use crate::store::postgres::{Database, is_unfinished};
use crate::store::{PostgresPlace, StoreError, StoreOptions};

impl PostgresEnd {
    /// The database of a source. Its schema becomes that of this program.
    ///
    /// # Errors
    /// `InUse`, `Unfinished` or `Open`.
    pub async fn source(options: &StoreOptions, place: &PostgresPlace) -> Result<Self, MoveFault> {
        let end = Self::destination(options, place).await?;
        if is_unfinished(&end.database).await? {
            return Err(MoveFault::Unfinished(place.shown.clone()));
        }
        Ok(end)
    }

    /// The database of a destination.
    ///
    /// # Errors
    /// `InUse` or `Open`.
    pub async fn destination(options: &StoreOptions, place: &PostgresPlace) -> Result<Self, MoveFault> {
        let database = Database::open(options, place).await.map_err(MoveFault::Open)?;
        if has_live_nodes(&database).await? {
            return Err(MoveFault::InUse(place.shown.clone()));
        }
        Ok(Self::new(database))
    }
}

/// Whether a node uses the database.
async fn has_live_nodes(_: &Database) -> Result<bool, StoreError> {
    // The leases of nodes are not built yet.
    Ok(false)
}
