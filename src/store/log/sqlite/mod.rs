//! The log in SQLite.

pub mod event_ids;
mod insert;
mod log;
mod packed;
mod packing;
mod page;
mod phrases;
mod query;
pub mod rows;

pub use insert::{Inserted, Statements};
pub use packed::{FORM, Packed, add_functions};
