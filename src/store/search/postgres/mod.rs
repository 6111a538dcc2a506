//! Search in PostgreSQL: SQL decides on columns, the node on texts, with the functions that SQLite uses, too.

mod condition;
mod decide;
mod search;
mod value;
mod walk;
