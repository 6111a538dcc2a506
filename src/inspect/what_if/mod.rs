//! What if a source were configured otherwise? Its gates are run again over the deliveries that are stored.

mod judge;
mod runs;
mod today;

pub use judge::{Flip, Side};
pub use runs::{Asked, MOST, Progress, State, WhatIf};
pub use today::PassesToday;
