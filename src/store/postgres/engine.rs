//! A store in PostgreSQL, which any number of nodes may share.

use std::ops::Deref;
use std::sync::Arc;

use super::database::Database;
use super::unfinished::is_unfinished;
use crate::store::log::postgres::{Appends, Bell};
use crate::store::upkeep::postgres::Keeper;
use crate::store::{PostgresPlace, StoreError, StoreOptions};

/// A store in PostgreSQL.
pub struct Postgres {
    database: Arc<Database>,
    /// What waits to be appended.
    pub appends: Appends,
    /// Retention, and the size of the store.
    pub keeper: Arc<Keeper>,
}

impl Postgres {
    /// Connects, creates or migrates the schema, and starts what runs in the background.
    pub async fn open(options: StoreOptions, place: &PostgresPlace) -> Result<Self, StoreError> {
        let failed = |fault: StoreError| match fault {
            StoreError::Unavailable(cause) => StoreError::Open { path: place.shown.clone(), cause },
            other => other,
        };
        let database = Arc::new(Database::open(&options, place).await?);
        if is_unfinished(&database).await.map_err(failed)? {
            database.leave().await;
            return Err(StoreError::Unfinished { path: place.shown.clone() });
        }
        if let Some(membership) = place.membership {
            database.keep_name(membership.instance);
        }
        let bell = Bell::start(&database, &options.workers).await.map_err(failed)?;
        let keeper = Keeper::start(&database, &options.workers).await.map_err(failed)?;
        let appends = Appends::start(&database, bell, options).await.map_err(failed)?;
        Ok(Self { database, appends, keeper })
    }
}

/// What runs in the background knows the database, too; with the store, its connections end.
impl Drop for Postgres {
    fn drop(&mut self) {
        self.database.shut();
    }
}

impl Deref for Postgres {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}
