//! The lens in SQLite: each function runs inside the writer's transaction, or on a reader's connection.

mod drift;
mod entities;
mod entity_list;
mod facts;
mod learn;
mod names;
mod silence;

pub use drift::{fields, types};
pub use entity_list::{counts, device, give_name, list, with_bytes};
pub use learn::{learn, state, unlearnt};
pub use names::names;
pub use silence::{due, heard, other_rule, outages, postpone, reckon, tell};
