//! How values of what is learnt are read from PostgreSQL, and written.

use serde::Serialize;
use tokio_postgres::Row;

use crate::domain::{DeliveryId, Timestamp};
use crate::store::StoreError;
use crate::store::postgres::column;

/// A time.
pub fn time(row: &Row, name: &str) -> Result<Timestamp, StoreError> {
    column(row, name).map(Timestamp::from_micros)
}

/// A time, or NULL.
pub fn time_if_any(row: &Row, name: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(column::<Option<i64>>(row, name)?.map(Timestamp::from_micros))
}

/// A number that is never negative.
pub fn number(row: &Row, name: &str) -> Result<u64, StoreError> {
    column::<i64>(row, name).map(i64::unsigned_abs)
}

/// The id of a delivery.
pub fn delivery(row: &Row, name: &str) -> Result<DeliveryId, StoreError> {
    column(row, name).map(DeliveryId::from_bytes)
}

/// One value of each row that is written, as an array.
pub fn each<'a, T, V>(rows: &'a [T], value: impl Fn(&'a T) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

/// A value as stored in JSON.
pub fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|fault| StoreError::Unavailable(fault.to_string()))
}
