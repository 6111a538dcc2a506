//! What the API and the pages both do: one function for each, and what it is asked with.

pub mod comparison;
pub mod confirm;
pub mod deliveries;
pub mod devices;
pub mod figures;
pub mod health;
pub mod import;
pub mod marks;
pub mod overview;
pub mod parked;
pub mod replay;
pub mod replay_runs;
pub mod schema;
pub mod searches;
pub mod sources;
pub mod tokens;
pub mod what_if;
