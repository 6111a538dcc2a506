//! The digest of a table: the same at both ends if they have the same rows.

use sha2::{Digest as _, Sha256};

use super::tables::{Kind, Table};
use super::value::{Cell, Row};

/// The number of rows, and the sum of their digests, in which their order does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableDigest {
    /// The number of rows.
    pub rows: u64,
    sum: [u64; 4],
}

impl TableDigest {
    /// Adds a row. Positions count by the delivery that they mean.
    pub fn add(&mut self, table: &Table, row: &Row) {
        let mut hasher = Sha256::new();
        for (column, cell) in table.columns.iter().zip(row) {
            match cell {
                _ if matches!(column.kind, Kind::Own | Kind::Learnt) => {}
                Cell::Null | Cell::Position(_, None) => hasher.update(b"-"),
                Cell::Number(number) => add(&mut hasher, b'n', &number.to_be_bytes()),
                Cell::Real(number) => add(&mut hasher, b'r', &number.to_bits().to_be_bytes()),
                Cell::Text(text) => add(&mut hasher, b't', text.as_bytes()),
                Cell::Bytes(bytes) => add(&mut hasher, b'b', bytes),
                Cell::Flag(flag) => add(&mut hasher, b'f', &[u8::from(*flag)]),
                Cell::Position(_, Some(id)) => add(&mut hasher, b'p', id),
            }
        }
        let digest = hasher.finalize();
        for (sum, part) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            *sum = sum.wrapping_add(part.try_into().map_or(0, u64::from_be_bytes));
        }
        self.rows = self.rows.saturating_add(1);
    }
}

/// Adds a value with its kind and length, so that no two rows look the same.
fn add(hasher: &mut Sha256, kind: u8, value: &[u8]) {
    hasher.update([kind]);
    hasher.update(value.len().to_be_bytes());
    hasher.update(value);
}
