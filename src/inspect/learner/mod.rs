//! Learns from the log in the background, for `drift` and `entities`, and tells of silences. It has a thread of its own
//! that stands behind receiving.

mod batch;
mod remembered;
mod running;
mod silences;
mod step;

pub use running::RunningLearner;

#[cfg(test)]
mod tests;
