//! What deliveries are about: when their events happened, and which values they carry.

mod event_time;
mod log;
mod series;

pub use event_time::{event_time, event_time_of};
pub use log::{EntityLog, entity_log};
pub use series::{Point, Series, series_of};
