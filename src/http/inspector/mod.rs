//! The inspector's port, which operators reach: the API for programs, the pages for people, and what both share.

mod access;
mod address_check;
mod admin_auth;
mod answer;
mod api;
mod api_document;
mod badge_refresh;
mod badges;
mod compress;
mod guard;
mod hosts;
mod json_body;
mod list_row;
mod login;
mod mount;
mod operations;
mod pages;
mod problem;
mod public_address;
mod refusal;
mod reload_desk;
mod remembered;
mod request;
mod resource;
mod scopes;
mod server;
mod state;
mod words;

pub use reload_desk::{ReloadDesk, ReloadOutcome, ReloadRequests};
pub use server::serve;
pub use state::{InspectorParts, InspectorState};

#[cfg(test)]
pub use pages::api_view;
