//! What everything that sends shares: the sender's parts, its subscriptions, and who is to be woken.

mod evaluations;
mod sender;
mod wakeups;

pub use evaluations::{Evaluations, Part};
pub use sender::{Sender, SenderParts};
pub use wakeups::Lanes;
