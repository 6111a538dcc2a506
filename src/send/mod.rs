//! Sends: the HTTP client, and the signed example delivery that `tagohook send` and the inspector's button send.

mod client;
mod curl;
mod example;

pub use client::{Answer, Client, SendError};
pub use curl::{fresh_id, shell_quote, signed_curl};
pub use example::signed_request;
