//! Moves a store from one engine to the other, row by row: `tagohook migrate-store`.
//!
//! `tables.rs` lists what is moved. An `End` is a store as a move reads and writes it, and has one implementation for each
//! engine. `copy.rs` reads pages from one end and writes them to the other, where each page also records how far the move
//! has come; then it compares both ends.

mod copy;
mod digest;
mod end;
mod facts;
mod fault;
mod open;
mod postgres;
mod sqlite;
mod state;
mod table;
mod tables;
mod value;

#[cfg(test)]
mod tests;

pub use copy::{Moved, Phase, Step};
pub use open::{Move, move_store};
