//! Sends a delivery again, or many of them: to our own receiver, to a subscription, or to a URL; as it came, signed again, or
//! edited.

mod address;
mod own;
mod plan;
mod replayer;
mod request;
mod runs;

pub use address::{address as forwarded_url, left_out};
pub use own::OwnReplays;
pub use plan::{Group, MOST, Plan};
pub use replayer::{Asked, ReplayFault, Replayer, Target};
pub use request::{Edits, MARK};
pub use runs::{ReplayRuns, Turned};
