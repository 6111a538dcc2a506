//! Keeps deliveries and claimed event ids. The only floor that knows SQL.

mod contract;
mod error;
mod sqlite;

pub use contract::{Pruned, Retention, Store, StoreOptions, StoreSize, Tail, Written};
pub use error::StoreError;
