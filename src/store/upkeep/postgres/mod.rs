//! Upkeep in PostgreSQL.

mod expired_days;
mod keeper;
mod probe;
mod retention;
mod rows;
mod state;
mod upkeep;

pub use keeper::Keeper;
