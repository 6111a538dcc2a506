//! The API, `/api/v1`: for programs.

pub(super) mod confirm;
pub(super) mod deliveries;
mod event_types;
mod export;
mod export_many;
pub(super) mod history;
pub(super) mod lens;
mod nodes;
mod objects;
pub(super) mod overview;
mod refusals;
pub(super) mod replay_runs;
pub(super) mod replays;
mod routes;
pub(super) mod searches;
pub(super) mod sending;
pub(super) mod sources;
mod stream;
mod suggestions;
mod wait;
pub(super) mod what_if;

pub use routes::routes;
