//! Sends: the HTTP client, and the signed example delivery that `tagohook send` and the inspector's button send.

mod client;
mod example;
mod sample;

pub use client::{Answer, Client, SendError};
pub use example::signed_request;
pub use sample::{SignedSample, fresh_id, shell_quote, signed_curl, source_url};
