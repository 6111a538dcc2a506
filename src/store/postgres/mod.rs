//! The machinery of the store in PostgreSQL: a pool of connections, the schema, and what is the same for every statement.
//!
//! Statements are unnamed and carry the types of their parameters, so that a pooler in front may hand each transaction to
//! another server process. The result of every statement is read before COMMIT.

mod connection;
mod database;
mod engine;
mod fault;
mod manager;
mod migrate;
mod nodes;
mod numbers;
mod position;
mod records;
mod refusals;
mod repeat;
mod settled;
mod start;
mod timeline;
mod tls;
mod transaction;
mod unfinished;
mod values;

pub use connection::Connection;
pub use database::Database;
pub use engine::Postgres;
#[cfg(test)]
pub use migrate::MIGRATIONS;
pub use nodes::{NOW_US, SILENT_US};
pub use numbers::{count, small, unreadable, whole};
pub use position::{HORIZON, PLACES, horizon};
pub use records::{Record, Records};
#[cfg(test)]
pub use timeline::on_timeline;
pub use transaction::Transaction;
pub use unfinished::is_unfinished;
pub(in crate::store) use values::params;
pub use values::{Param, Typed, column};
