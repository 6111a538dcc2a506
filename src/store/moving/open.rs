//! Opens both ends of a move, and runs it.

use super::copy::{Ends, Moved, Watch};
use super::fault::MoveFault;
use super::postgres::PostgresEnd;
use super::sqlite::SqliteEnd;
use crate::store::{Place, StoreOptions};

/// A move of a store.
#[derive(Clone)]
pub struct Move {
    /// How stores are opened, and which one is moved.
    pub from: StoreOptions,
    /// Where it is moved to.
    pub to: Place,
    /// The fingerprint of the `store-key` that belongs to an SQLite source, if it is there.
    pub store_key: Option<i64>,
    /// Whether an unfinished move is removed first.
    pub start_over: bool,
}

/// Moves a store, or continues a move that was stopped. The source is not changed.
///
/// # Errors
/// `MoveFault`.
pub async fn move_store(asked: Move, watch: Watch<'_>) -> Result<Moved, MoveFault> {
    let Move { from: options, to, store_key, start_over } = asked;
    match (&options.place, &to) {
        (Place::Sqlite(from), Place::Postgres(place)) => {
            let from = SqliteEnd::source(from)?;
            let to = PostgresEnd::destination(&options, place, store_key).await?;
            Ends { from: Box::new(from), to: Box::new(to), shown: place.shown.clone() }
                .run(start_over, watch)
                .await
        }
        (Place::Postgres(place), Place::Sqlite(to)) => {
            let shown = to.display().to_string();
            let from = PostgresEnd::source(&options, place).await?;
            let to = SqliteEnd::destination(to)?;
            Ends { from: Box::new(from), to: Box::new(to), shown }.run(start_over, watch).await
        }
        _ => Err(MoveFault::SameEngine),
    }
}
