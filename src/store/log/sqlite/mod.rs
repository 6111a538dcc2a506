//! The log in SQLite.

mod insert;
mod log;
mod page;
mod query;
pub mod rows;

pub use insert::{Inserted, Statements};
