//! Upkeep in SQLite.

pub mod retention;
mod upkeep;
