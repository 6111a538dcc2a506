//! tagohook receives TagoRUN and TagoIO webhooks, decides about each one, keeps every one and shows why.
//!
//! The floors, lowest last: `http`; `inspect`; `receive`; `store`; `signing`, `catalog`, `config`, `telemetry`;
//! `domain`. Imports go downward only. `docs/ARCHITECTURE.md` tells how a delivery walks through them.

pub mod catalog;
pub mod config;
pub mod domain;
pub mod http;
pub mod inspect;
pub mod payload;
pub mod receive;
pub mod send;
pub mod signing;
pub mod store;
pub mod telemetry;

pub mod app;
pub mod cli;
