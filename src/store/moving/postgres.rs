//! A PostgreSQL database as an end of a move.

mod arrays;
mod end;
mod open;
mod sql;

pub use end::PostgresEnd;
