//! What everything that sends shares: the sender's parts, its subscriptions, and who is to be woken.

mod duty;
mod evaluations;
mod follow;
mod followed;
mod sender;
mod stored;
mod wakeups;

pub use duty::Duty;
pub use evaluations::{Evaluations, Part};
pub use sender::{Sender, SenderParts};
pub use stored::{active, faults_of};
pub use wakeups::Woken;
