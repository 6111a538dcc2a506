//! Ready-made subscriptions for well-known endpoints.

mod preset;

pub use preset::presets;
