//! The log in PostgreSQL.

mod appends;
pub mod batch;
mod bell;
mod claims;
pub mod days;
mod log;
mod pace;
mod page;
pub mod rows;

pub use appends::Appends;
pub use bell::Bell;
