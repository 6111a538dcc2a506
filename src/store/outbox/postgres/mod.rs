//! The outbox in PostgreSQL, which several nodes share.
//!
//! Transactions lock in one order: the revision of the subscriptions, subscriptions by id, messages by position, then
//! figures. A claim waits for no row: what another transaction has is not its own. What is left of deadlocks (a message
//! that wakes an earlier one) the server ends, and the transaction is repeated.

mod attempts;
mod by_hand;
mod claim;
mod columns;
mod dead_letters;
mod fanout;
mod figures;
mod locks;
mod messages;
mod new_messages;
mod ordered;
mod prune;
mod rate;
mod schedule;
mod settle;
mod sharing;
mod steps;
mod subscriptions;
mod take;

pub use fanout::publish;
pub use prune::{prune_outbox, retire};
pub use subscriptions::is_ordered;
