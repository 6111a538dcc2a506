//! Opens a database that no node uses.

use super::end::PostgresEnd;
use crate::store::moving::fault::MoveFault;
use crate::store::postgres::{Database, is_unfinished};
use crate::store::{PostgresPlace, StoreOptions};

impl PostgresEnd {
    /// The database of a source. Its schema becomes that of this program.
    ///
    /// # Errors
    /// `InUse`, `Unfinished` or `Open`.
    pub async fn source(options: &StoreOptions, place: &PostgresPlace) -> Result<Self, MoveFault> {
        let end = Self::destination(options, place, None).await?;
        if is_unfinished(&end.database).await? {
            return Err(MoveFault::Unfinished(place.shown.clone()));
        }
        Ok(end)
    }

    /// The database of a destination, for nodes with the `store_key` of that fingerprint.
    ///
    /// # Errors
    /// `InUse` or `Open`.
    pub async fn destination(
        options: &StoreOptions,
        place: &PostgresPlace,
        store_key: Option<i64>,
    ) -> Result<Self, MoveFault> {
        let database = Database::open(options, place).await.map_err(MoveFault::Open)?;
        if let Some(node) = database.live_node().await? {
            return Err(MoveFault::InUse(format!("{} (node {node})", place.shown)));
        }
        Ok(Self::new(database, store_key))
    }
}
