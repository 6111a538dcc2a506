//! Learns from the log in the background, for `drift` and `entities`, and reports silences. It has a thread of its own
//! that yields to receiving.

mod batch;
mod remembered;
mod running;
mod silences;
mod step;

pub use running::RunningLearner;

#[cfg(test)]
mod tests;
