//! Reads columns by name, for rows with more than a few of them.

use rusqlite::types::Type;
use rusqlite::{Error, Row};

use crate::domain::Timestamp;

/// A time.
pub fn time(row: &Row<'_>, name: &str) -> rusqlite::Result<Timestamp> {
    row.get(name).map(Timestamp::from_micros)
}

/// A time, or NULL.
pub fn time_if_any(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(name)?.map(Timestamp::from_micros))
}

/// A number that is never negative.
pub fn count(row: &Row<'_>, name: &str) -> rusqlite::Result<u64> {
    row.get::<_, i64>(name).map(i64::unsigned_abs)
}

/// A value stored as JSON.
pub fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, name: &str) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(name)?.as_str()?).map_err(|_| unreadable(row, name, Type::Text))
}

/// The error for a column with a value that this program does not know.
pub fn unreadable(row: &Row<'_>, name: &str, kind: Type) -> Error {
    let column = row.as_ref().column_index(name).unwrap_or_default();
    Error::InvalidColumnType(column, format!("{name}: a value that this program does not know"), kind)
}
