//! A row on its way from one end to the other.

use serde::{Deserialize, Serialize};

/// The value of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Cell {
    /// No value.
    Null,
    /// A whole number.
    Number(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Yes or no.
    Flag(bool),
    /// A position, and the id of the last delivery at or below it: what a position means in another store.
    Position(i64, Option<Vec<u8>>),
}

impl Cell {
    /// The room that it takes in memory, in bytes.
    pub const fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len().saturating_add(16),
            Self::Bytes(bytes) => bytes.len().saturating_add(16),
            _ => 16,
        }
    }
}

/// The values of the columns of a table, in their order.
pub type Row = Vec<Cell>;

/// The most rows of a page.
pub const PAGE_ROWS: usize = 1_000;
/// The most bytes of a page, except for its last row.
pub const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// How far a move has come: the rows of `table` up to the key `after`, and every table before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The name of a table.
    pub table: String,
    /// A key of the source.
    pub after: Row,
}
