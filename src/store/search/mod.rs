//! Search in the log: lists, the rows after a cursor, counts.

mod contract;
pub mod postgres;
pub mod sqlite;
mod text;
mod types;

pub use contract::{DEADLINE, Search};
pub use types::{Matches, SearchPage, Stopped, Tail};
