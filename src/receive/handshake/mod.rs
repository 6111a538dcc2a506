//! The questions that platforms ask before they send, as a table of kinds: how each is recognised, and what it is answered.
//!
//! Think like an attacker: anybody may ask. A question is answered only at a source that names its platform, after the
//! gates in front; what is returned is short and has no control character; and what is signed is of an alphabet in which no
//! event can be written, so that nobody gets the signature of an event made here.

mod answer;
mod kinds;
mod link;

pub use answer::{FollowUp, Reply};
pub use kinds::{Asked, Question, asked_at, recognise};
pub use link::confirmation_link;

pub(super) use answer::gate;
