//! The store as the rest of the program uses it: SQLite or PostgreSQL.

use std::ops::Deref;
use std::sync::Arc;

use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{
    ApiTokens, ByHand, Causes, DeadLetters, Devices, Drift, FanningOut, Health, Learning, Log, Marking,
    Messages, Minutes, Nodes, Place, ReplayRuns, Replays, SavedSearches, Search, Sending, Sharing, Silences,
    StoreError, StoreOptions, Subscriptions, Upkeep,
};

/// Everything that every store promises. Each subject says in its own contract what that is.
pub trait Engine:
    Log
    + Nodes
    + Causes
    + Search
    + Minutes
    + Marking
    + SavedSearches
    + ApiTokens
    + Replays
    + ReplayRuns
    + Subscriptions
    + FanningOut
    + Sending
    + Messages
    + DeadLetters
    + ByHand
    + Health
    + Sharing
    + Learning
    + Drift
    + Devices
    + Silences
    + Upkeep
{
}

impl Engine for Sqlite {}

impl Engine for Postgres {}

/// The store. Cheap to clone; all clones share one store. Its methods are those of the contracts that `Engine` names.
#[derive(Clone)]
pub struct Store(Arc<dyn Engine>);

impl Store {
    /// Opens the store, creates or migrates its schema, and starts what runs in the background.
    ///
    /// # Errors
    /// `NewerSchema` for a file of a newer program, `Open` for one that cannot be used.
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        Ok(match options.place.clone() {
            Place::Sqlite(path) => Self(Arc::new(Sqlite::open(options, path)?)),
            Place::Postgres(place) => Self(Arc::new(Postgres::open(options, &place).await?)),
        })
    }
}

impl Deref for Store {
    type Target = dyn Engine;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}
