//! `/`: the list of deliveries, its search, and its histogram.

mod days;
mod fields;
mod page;
mod survey;

pub use page::{list, rows, survey};
