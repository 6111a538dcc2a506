//! Filters: which events of its types a subscription accepts.

mod action;
mod condition;
mod filters;
mod operand;
mod operator;
mod warnings;
mod words;

pub use condition::ConditionOutcome;
pub use filters::{Filters, Judgement, event_matches};
pub use words::WORDS as OPERATORS;
