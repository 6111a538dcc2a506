//! The log in PostgreSQL.

mod log;
mod page;
pub mod rows;
