//! Events that do not come from a delivery: published ones, and ours about dead letters, endpoints and devices.

mod device_silent;
mod notices;
mod publish;

pub use notices::{OWN_EVENTS, endpoint_gone, run as run_notices};
pub use publish::PublishFault;
