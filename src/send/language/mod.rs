//! What filters and templates can say about an event, and what they make of it: pure functions.

mod expression;
mod filter;
mod pattern;
mod places;
mod scope;
mod template;

pub use filter::{ConditionOutcome, Filters, Judgement, OPERATORS, event_matches};
pub use places::{Place, Placed, placed, places};
pub use scope::{Scope, ScopeFault};
pub use template::{Fault, Rendered, Template, TextTemplate};
