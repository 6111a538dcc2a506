//! A SQLite file as an end of a move. It is locked as long as it is open: no other program can open it.

mod end;
mod open;
mod sql;

pub use end::SqliteEnd;
