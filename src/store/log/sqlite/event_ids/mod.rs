//! The event ids that were taken.
//!
//! An id that nobody has seen belongs to a page of its own wherever ids lie in order, and ids are random. So they lie as
//! in a log-structured merge tree: a new one is written at the end of `fresh_event_ids`, and a map in memory knows it.
//! `RUN_ROWS` of them become a run: they are copied to `sorted_event_ids` in order, a little in each transaction, and
//! then listed in `event_id_runs` with a Bloom filter, which is kept in memory. An id is looked up in the map, then in the
//! runs whose filter may have it, the newest first. The newest row decides.
//!
//! Times are stored less the fact `event_ids_shift`, which changes where the wall clock was set.

mod building;
mod expire;
mod filter;
mod identity;
mod load;
mod run;
mod staged;
mod statements;
mod taking;

pub use run::share;
pub use staged::{to_runs, to_table};
pub use statements::{First, New, Statements};
pub use taking::{EventIds, RUN_ROWS};

#[cfg(test)]
mod tests;
