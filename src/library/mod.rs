//! The public API of the crate: a thin layer over the rooms of the program, so that those can change.

mod autopsy;
mod catalogue;
mod event_store;
mod invalid;
mod request;
mod scheme;
mod signer;
mod verifier;

pub use autopsy::Autopsy;
pub use catalogue::{Catalogue, Event, EventType, InvalidEvent, Problem};
pub use event_store::{Claimed, EventStore, StoreError};
pub use invalid::Invalid;
pub use request::Request;
pub use scheme::Scheme;
pub use signer::Signer;
pub use verifier::{SignatureError, SignatureErrorKind, Signed, Verifier};
