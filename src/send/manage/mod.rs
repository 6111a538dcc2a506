//! What an operator does: subscriptions are changed, loaded and previewed, waiting messages are moved on.

mod change;
mod load;
mod preview;
mod waiting;

pub use change::{ManageFault, Managed};
pub use waiting::Act;

#[cfg(test)]
mod tests;
