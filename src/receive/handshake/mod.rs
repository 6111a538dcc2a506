//! The questions that platforms ask before they send, as a table of kinds: how each is recognised and answered.
//!
//! Think like an attacker: anyone may ask. A question is answered only at a source that names its platform, after the
//! earlier gates. The returned text is short and has no control characters. Signed text uses an alphabet that cannot
//! express an event, so no one can get an event signed here.

mod answer;
mod kinds;
mod link;

pub use answer::{FollowUp, Reply};
pub use kinds::{Asked, Question, asked_at, recognise};
pub use link::confirmation_link;

pub(super) use answer::gate;
