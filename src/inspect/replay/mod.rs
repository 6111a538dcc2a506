//! Sends a delivery again: to our own receiver, to a subscription, or to a URL; as it came, signed anew, or edited.

mod request;
mod run;

pub use request::{Edits, MARK};
pub use run::{Asked, ReplayFault, Replayer, Target};
