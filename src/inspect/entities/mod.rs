//! What deliveries are about: when their events happened, and which values they carry.

mod event_time;
mod log;
mod series;
mod states;

pub use event_time::{event_time, event_time_of};
pub use log::{EntityLog, entity_log};
pub use series::{Point, Series, Values};
pub use states::States;
