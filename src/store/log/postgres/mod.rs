//! The log in PostgreSQL.

mod log;
