//! tagohook receives TagoRUN and TagoIO webhooks, decides about each one, keeps every one and shows why.
//!
//! The floors, lowest last: `http`; `inspect`; `receive`; `store`; `signing`, `catalog`, `config`, `telemetry`,
//! `payload`; `domain`. Imports go downward only. `docs/ARCHITECTURE.md` tells how a delivery walks through them.

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
