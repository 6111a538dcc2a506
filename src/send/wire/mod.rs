//! HTTP requests to other programs: the client, where it may go, and what it may show of a URL.

mod client;
mod failure;
mod own_probes;
mod pieces;
mod redacted_url;
mod sample;
mod signed_request;
mod slow_request;
mod target_guard;

pub use client::{
    Answer, CONNECT_TIMEOUT, Client, MAX_ANSWER, Method, Outcome, Outgoing, Response, SendError,
};
pub use failure::Failure;
pub use own_probes::{OwnProbes, PROBE_HEADER};
pub use pieces::Pieces;
pub use redacted_url::redacted_url;
pub use sample::{
    SignedSample, fresh_id, receiver_url, shell_quote, shown_url, signed_curl, source_path, source_url,
};
pub use signed_request::{credential_lines, signed_request};
pub use slow_request::post_slowly;
pub use target_guard::TargetGuard;
