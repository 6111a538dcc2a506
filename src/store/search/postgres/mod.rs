//! Search in PostgreSQL.

mod search;
