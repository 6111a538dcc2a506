//! Sends a delivery again, or many of them: to our own receiver, to a subscription, or to a URL; as it came, signed again, or
//! edited.

mod address;
mod plan;
mod replayer;
mod request;
mod runs;

pub use address::left_out;
pub use plan::{Group, MOST, Plan};
pub use replayer::{Asked, ReplayFault, Replayer, Target};
pub use request::Edits;
pub use runs::{ReplayRuns, Turned};
