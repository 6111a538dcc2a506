//! The event ids that were taken.
//!
//! An id that nobody has seen belongs to a page of its own wherever ids lie in order, and ids are random. So a new one is
//! written at the end of `taken_event_ids` and stays there, and a map in memory knows it. `RUN_ROWS` of them are a run. When it
//! is full, it is listed: in `event_id_runs` with a Bloom filter, which is kept in memory, and in `event_id_places` with the
//! place of each id. An id is looked up in the map, then in the runs whose filter may have it, the newest first. The newest
//! row decides.
//!
//! Times are stored less the fact `event_ids_shift`, which changes where the wall clock was set.

mod expire;
mod filter;
mod identity;
mod listing;
mod load;
mod places;
mod runs;
mod sliced;
mod staged;
mod statements;
mod taking;

pub use staged::{to_runs, to_table};
pub use statements::{First, New, Statements};
pub use taking::{EventIds, RUN_ROWS};

#[cfg(test)]
mod tests;
