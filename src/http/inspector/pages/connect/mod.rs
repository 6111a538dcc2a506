//! "Connect a sender": from nothing to the first delivery from outside. The page without deliveries shows the same steps.

mod check;
mod guide;
mod page;
mod secret;

pub use guide::Guide;
pub use page::{act, connect};
pub use secret::refusal;
