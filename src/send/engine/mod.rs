//! The thread that sends: from a delivery to messages, from a lane to attempts, from an attempt to its outcome.
//! `docs/decisions/0039-what-a-lane-goes-through.md` draws it.

mod clock_watch;
mod connection_budget;
mod dispatcher;
mod dispatcher_event;
mod fanout;
mod follower;
mod health;
mod lane;
mod outcome;
mod outcome_writer;
mod retry_after;
mod running;
mod stall_detector;
mod throttle;
mod worker;

pub use fanout::{STEP as FAN_OUT_STEP, events_of, step as fan_out_step};
pub use health::check as check_health;
pub use running::RunningSender;
