//! Numbers of the program as numbers of the database, and back.

use crate::store::StoreError;

/// A length or a limit.
pub fn whole(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// A count.
pub fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that fits into a smaller type.
///
/// # Errors
/// `Unavailable` if it does not fit.
pub fn small<T: TryFrom<i64>>(number: i64, column: &str) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| unreadable(column))
}

/// The fault of a value that this program does not know.
pub fn unreadable(column: &str) -> StoreError {
    StoreError::Unavailable(format!("the column {column} has a value that this program does not know"))
}
