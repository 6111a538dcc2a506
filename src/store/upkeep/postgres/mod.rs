//! Upkeep in PostgreSQL.

mod upkeep;
