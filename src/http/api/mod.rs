//! The inspector's API, `/api/v1`: for programs.

pub(super) mod confirm;
mod deliveries;
mod event_types;
mod export;
mod export_many;
pub(super) mod history;
pub(super) mod json_body;
pub(super) mod lens;
mod nodes;
mod objects;
pub(super) mod overview;
mod params;
mod refusals;
pub(super) mod replay_runs;
pub(super) mod replays;
mod resource;
mod routes;
pub(super) mod searches;
pub(super) mod sending;
pub(super) mod sources;
mod stream;
mod suggestions;
mod wait;
pub(super) mod what_if;

pub use deliveries::stored;
pub use params::{Blank, Params, filter, filter_names};
pub use resource::{post_only, read_only};
pub use routes::routes;
