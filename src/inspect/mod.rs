//! The questions asked of history: what happened to a delivery and why, what comes next, what exactly was sent.

pub mod ack;
mod autopsy;
pub mod body;
mod cause;
mod charset;
mod client_hint;
mod client_repeat;
mod diagnosis;
pub mod diff;
pub mod drift;
pub mod duration;
pub mod entities;
pub mod export;
mod fallback;
mod handshakes;
mod hints;
pub mod json_tree;
pub mod learner;
mod live_tail;
mod naming;
mod not_json;
pub mod overview;
mod repeats;
pub mod replay;
pub mod search;
pub mod timeline;
pub mod what_if;

pub use autopsy::Findings;
pub use client_repeat::ClientRepeat;
pub use diagnosis::diagnose;
pub use handshakes::link_of;
pub use live_tail::{LiveTail, Resumption, first_since};
pub use repeats::Repeats;
