//! The log in SQLite.

pub mod event_ids;
mod insert;
mod log;
mod page;
mod query;
pub mod rows;

pub use insert::{Inserted, Statements};
