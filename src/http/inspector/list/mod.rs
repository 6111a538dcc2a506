//! `/`: the list of deliveries: its rows, rendered here for the page and for the live stream, its search, and its histogram.

mod days;
mod fields;
mod page;
mod row;
mod survey;

pub use page::{list, rows, survey};
pub use row::{html, views};
