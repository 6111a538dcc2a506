//! Filters: which events of its types a subscription takes.

mod condition;
mod filters;
mod operator;

pub use condition::ConditionOutcome;
pub use filters::{Filters, Judgement, event_matches};
