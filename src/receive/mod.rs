//! Decides about a delivery: the gates in the order in which a request passes them.

mod allowlist;
mod credentials;
mod idempotency;
mod payload;
mod schema;
mod signature;
mod size;

mod encoding;
mod event_id;
mod json;
mod masking;
mod points;
mod published;
mod receiver;
mod trace;

pub use encoding::{EncodingFault, decode};
pub use masking::Masking;
pub use receiver::{Judgement, Receiver};
