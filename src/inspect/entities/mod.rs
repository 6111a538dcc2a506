//! What deliveries are about: when their events happened, and which values they carry.

mod event_time;
mod log;
mod place;
mod series;
mod states;
mod url;

pub use event_time::{event_time, event_time_of};
pub use log::{EntityLog, entity_log};
pub use place::{Limit, Place};
pub use series::{Series, Values};
pub use states::States;
pub use url::entity_url;
