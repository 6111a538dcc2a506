//! Decides about a delivery: the gates, in the order in which a request passes them.

mod allowlist;
mod credential_forms;
mod credentials;
pub mod handshake;
mod idempotency;
mod misplaced;
mod payload;
mod schema;
mod signature;
mod size;

mod masking;
mod receiver;
mod trace;
mod unverified;

pub use masking::Masking;
pub use misplaced::signing_secret;
pub use receiver::{CAPTURES, Receiver};
pub use trace::Trace;
