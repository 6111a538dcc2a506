//! The questions asked of history: what happened to a delivery and why, what comes next, what exactly was sent.

pub mod ack;
pub mod body;
mod cause;
pub mod causes;
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
mod findings;
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
mod signature;
pub mod timeline;
mod told;
pub mod what_if;

pub use client_repeat::ClientRepeat;
pub use findings::{Findings, look_into};
pub use handshakes::link_of;
pub use live_tail::{LiveTail, Resumption, first_since};
pub use told::{Action, Diagnosis, Fix};
