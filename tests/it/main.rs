//! Black-box tests: the real program on real ports with a real store in a temporary directory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod harness;

mod agreement;
mod allowlist;
mod api;
mod architecture;
mod attempts;
mod autopsy;
mod autopsy_matrix;
mod behind_proxy;
mod body_views;
mod catalogue;
mod circles;
mod cli;
mod cli_exit;
mod cli_history;
mod client_address;
mod clock;
mod cluster;
mod cluster_sending;
mod connect;
mod credentials;
mod deploy;
mod device_pages;
mod devices;
mod docs_pages;
mod documents;
mod durability;
mod environment;
mod export;
mod expressions;
mod filters;
mod first_start;
mod formats;
mod forward_proxy;
mod handshakes;
mod headline;
mod http_attack;
mod http_edge;
mod idempotency;
mod importing;
mod imports;
mod interrupts;
mod json;
mod json_suite;
mod lens;
mod library;
mod list;
mod listen;
mod listen_express;
mod memory;
mod metrics;
mod migrate_store;
mod monitoring;
mod more_senders;
mod octokit;
mod openapi;
mod outbound_pages;
mod output;
mod overview;
mod passes_today;
mod pgbouncer;
mod postgres_faults;
mod postgres_start;
mod postgres_tls;
mod proxies;
mod proxies_restart;
mod proxy_facts;
mod real_libraries;
mod real_senders;
mod refusals;
mod reload;
mod repeats;
mod replay;
mod replay_runs;
mod saved_searches;
mod schemas;
mod sender_attack;
mod sender_batches;
mod sender_contract;
mod sender_document;
mod sender_durability;
mod sender_headers;
mod sender_loop;
mod sender_move;
mod sender_parked;
mod sender_retry;
mod sender_waiting;
mod service;
mod signature;
mod stop;
mod storage;
mod tagocore;
mod tagoio;
mod tagoio_analysis;
mod tagoio_pages;
mod tls;
mod tokens;
mod upgrade;
mod verify_elsewhere;
mod what_if;
mod wording;
