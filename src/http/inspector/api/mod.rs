//! The API, `/api/v1`: for programs.

mod attempts;
mod confirm;
mod deliveries;
mod event_types;
mod export;
mod export_many;
mod history;
mod import;
mod imported;
mod imported_members;
mod lens;
mod nodes;
mod objects;
mod openapi;
mod overview;
mod refusals;
mod reload;
mod replay_objects;
mod replay_runs;
mod replays;
mod routes;
mod searches;
mod sending;
mod sources;
mod stream;
mod suggestions;
mod tokens;
mod wait;
mod what_if;

pub use routes::routes;
