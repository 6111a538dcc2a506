//! The inspector's port: pages for the operator, the API beside them, and the guard in front of both.

mod again;
mod assets;
mod attempts;
mod badge_refresh;
mod badges;
mod body_section;
mod confirm;
mod connect;
mod delivery_page;
mod diff_page;
mod event_types_page;
mod guard;
mod hosts;
mod lens;
mod list_page;
mod login;
mod marks;
mod mount;
mod overview_page;
mod page;
mod refusal;
mod refusals_page;
mod replays_page;
mod row_view;
mod searches;
mod send_test;
mod sending;
mod server;
mod source_rules;
mod source_setup;
mod sources_page;
mod state;
mod what_if_page;

pub use server::serve;
pub use state::{InspectorParts, InspectorState};
