//! What the tests stand on: a spawned server, a raw HTTP client, signatures made without the product's own signer.

mod answer;
mod bouncer;
mod cable;
mod database;
mod forwarder;
mod listening;
mod nginx;
mod nodes;
mod proxy;
mod server;
mod signer;
mod sink;

pub use answer::{Answer, Connection, exchange, request_bytes};
pub use bouncer::Bouncer;
pub use cable::Cable;
pub use database::Database;
pub use forwarder::{Fate, Forwarder};
pub use listening::Listening;
pub use nginx::Nginx;
pub use nodes::{Answers, Nodes};
pub use proxy::{Form, Kind, Proxy};
pub use server::{SECRET, Server, Setup, TOKEN};
pub use signer::{hmac_hex, login, signed_request, standard_webhooks};
pub use sink::{Reply, Request, Sink, until};
