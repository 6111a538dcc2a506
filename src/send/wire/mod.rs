//! HTTP requests to other programs: the client, where it may go, and what it may show of a URL.

mod client;
mod failure;
mod method;
mod own_probes;
mod own_receiver;
mod pieces;
mod redacted_url;
mod sample;
mod signed_request;
mod slow_request;
mod target_guard;
mod trust;

pub use client::{Answer, CONNECT_TIMEOUT, Client, MAX_ANSWER, Outcome, Outgoing, Response, SendError};
pub use failure::Failure;
pub use method::Method;
pub use own_probes::{OwnProbes, PROBE_HEADER};
pub use own_receiver::OwnReceiver;
pub use pieces::Pieces;
pub use redacted_url::redacted_url;
pub use sample::{SignedSample, fresh_id, shell_quote, signed_curl, source_path};
pub use signed_request::{credential_lines, signed_request};
pub use target_guard::TargetGuard;
pub use trust::Trust;
