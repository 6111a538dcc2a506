//! tagohook receives TagoRUN and TagoIO webhooks, decides about each one, stores every one and shows why.
//!
//! The floors, from top to bottom: `http`; `inspect`; `receive`; `store`; `signing`, `catalog`, `config`, `telemetry`,
//! `payload`; `domain`. Imports go downward only. `docs/ARCHITECTURE.md` describes how a delivery passes through them.

mod catalog;
mod config;
mod domain;
mod http;
mod inspect;
mod payload;
mod receive;
mod send;
mod signing;
mod store;
mod telemetry;

mod app;
pub mod cli;
