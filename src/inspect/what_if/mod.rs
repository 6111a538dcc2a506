//! What if a source had other rules? Its checks are run again on the stored deliveries.

mod judge;
mod runs;
mod today;

pub use judge::{Flip, Side};
pub use runs::{Asked, Progress, State, WhatIf};
pub use today::PassesToday;
