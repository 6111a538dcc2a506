//! What if a source were configured otherwise? Its gates are run again over the deliveries that are stored.

mod judge;
mod runs;

pub use judge::{Flip, Side};
pub use runs::{Asked, MOST, Progress, State, WhatIf};
