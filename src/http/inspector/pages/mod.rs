//! The pages, for people.

mod again;
mod api_page;
pub mod api_view;
mod assets;
mod attempts;
mod body_section;
mod charts;
mod compare;
mod confirm;
mod connect;
mod delivery_page;
mod diff_page;
mod docs;
mod event_types_page;
mod header_view;
mod lens;
mod list;
mod marks;
mod overview_page;
pub(super) mod page;
mod refusals_page;
mod replays_page;
mod routes;
mod row_view;
mod searches;
mod send_test;
mod sending;
mod source_rules;
mod source_setup;
mod sources_page;
mod tokens_page;
mod verdict_section;
mod what_if_page;

pub use routes::routes;
