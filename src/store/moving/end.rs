//! One end of a move.

use async_trait::async_trait;

use super::tables::Table;
use super::value::{Cell, Progress, Row};
use crate::store::StoreError;

/// The highest number that a table has given to a row, by the table's name.
pub type Counters = Vec<(&'static str, i64)>;

/// A store as a move reads and writes it. While it is open, no other program writes to it, or its reader sees one state.
#[async_trait]
pub trait End: Send {
    /// The number of rows in a table.
    async fn count(&mut self, table: &Table) -> Result<u64, StoreError>;

    /// The next rows after a key, in the order of the key: at most `PAGE_ROWS`, about `PAGE_BYTES`; none at the end.
    async fn page(&mut self, table: &Table, after: Option<&[Cell]>) -> Result<Vec<Row>, StoreError>;

    /// What changes whenever a program has run on this store: a text to compare.
    async fn state(&mut self) -> Result<String, StoreError>;

    /// The highest numbers of rows ever given.
    async fn counters(&mut self) -> Result<Counters, StoreError>;

    /// Of an unfinished destination: the `state` of its source, and how far the move came.
    async fn unfinished(&mut self) -> Result<Option<(String, Option<Progress>)>, StoreError>;

    /// Marks this store as an unfinished destination of a source with that `state`.
    async fn begin(&mut self, source: &str) -> Result<(), StoreError>;

    /// Removes every moved row of an unfinished destination, and the mark.
    async fn clear(&mut self) -> Result<(), StoreError>;

    /// Adds rows that are not there yet, and records the progress, in one transaction.
    async fn write(&mut self, table: &Table, rows: Vec<Row>, progress: &Progress) -> Result<(), StoreError>;

    /// Sets what follows from the rows: totals, and the counters for new rows.
    async fn settle(&mut self, counters: &Counters) -> Result<(), StoreError>;

    /// Removes the mark of `begin`: from now on the store can be used.
    async fn finish(&mut self) -> Result<(), StoreError>;
}
